import { expect } from "chai";
import { TaskState, TaskStatus } from "../../proto/gen/objects.ts";
import { STATUS_BATCH_MAX } from "../../proto/limits.ts";
import { Reporter } from "./reporter.ts";

describe("worker: reporter", () => {
  const status = (state: TaskState) => TaskStatus.create({ state });
  const states = (update: ReturnType<Reporter["next"]>) =>
    update?.statuses.map((one) => `${one.taskId} ${one.status?.state}`);

  it("sends the newest status of each task, one update at a time", () => {
    const reporter = new Reporter();
    reporter.put("a", status(TaskState.ACCEPTED));
    reporter.put("a", status(TaskState.PREPARING));
    expect(states(reporter.next())).to.deep.equal(["a 320"]);
    reporter.put("a", status(TaskState.RUNNING));
    reporter.put("b", status(TaskState.RUNNING));
    expect(reporter.next()).to.equal(undefined);
    reporter.acknowledge(1);
    expect(states(reporter.next())).to.deep.equal(["a 512", "b 512"]);
  });

  it("has nothing to say when all is confirmed", () => {
    const reporter = new Reporter();
    reporter.put("a", status(TaskState.RUNNING));
    reporter.next();
    reporter.acknowledge(1);
    expect(reporter.next()).to.equal(undefined);
  });

  it("does not take an old confirmation for the present one", () => {
    const reporter = new Reporter();
    reporter.put("a", status(TaskState.RUNNING));
    reporter.next();
    reporter.acknowledge(7);
    reporter.put("b", status(TaskState.RUNNING));
    expect(reporter.next()).to.equal(undefined);
  });

  it("tells a new manager everything it knows, the unconfirmed included", () => {
    const reporter = new Reporter();
    reporter.put("a", status(TaskState.PREPARING));
    reporter.next();
    reporter.begin([
      ["a", status(TaskState.RUNNING)],
      ["b", status(TaskState.COMPLETE)],
    ]);
    const update = reporter.next();
    expect(update?.sequence).to.equal(1);
    expect(states(update)).to.deep.equal(["a 512", "b 576"]);
  });

  it("bounds each update and says the rest later", () => {
    const reporter = new Reporter();
    for (let i = 0; i < STATUS_BATCH_MAX + 1; i++) reporter.put(`t${i}`, status(TaskState.RUNNING));
    expect(reporter.next()?.statuses).to.have.length(STATUS_BATCH_MAX);
    reporter.acknowledge(1);
    expect(reporter.next()?.statuses).to.have.length(1);
  });
});
