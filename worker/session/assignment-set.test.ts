import { expect } from "chai";
import { Assignments, TaskAssignment } from "../../proto/gen/dispatcher.ts";
import { ServiceRevision } from "../../proto/gen/objects.ts";
import { AssignmentSet } from "./assignment-set.ts";

type Change = NonNullable<Assignments["changes"][number]["kind"]>;

const revision: Change = {
  $case: "putRevision",
  value: ServiceRevision.fromPartial({
    serviceId: "web",
    revision: 1,
    task: { container: { image: "nginx" } },
  }),
};

function putTask(id: string): Change {
  const task = { id, serviceId: "web", revision: 1 };
  return { $case: "putTask", value: TaskAssignment.fromPartial({ task, serviceName: "web" }) };
}

function message(
  sequence: number,
  changes: readonly Change[],
  part: "complete" | "complete and last" | "delta" = "delta",
): Assignments {
  const complete = part !== "delta";
  const last = part !== "complete";
  return Assignments.create({
    sequence,
    complete,
    last,
    changes: changes.map((kind) => ({ kind })),
  });
}

describe("worker: assignment set", () => {
  it("is complete with its last part, not before", () => {
    const set = new AssignmentSet();
    const first = set.apply(message(1, [revision, putTask("a")], "complete"));
    expect(first.completeTaskIds).to.equal(undefined);
    const last = set.apply(message(2, [putTask("b")], "complete and last"));
    expect([...(last.completeTaskIds ?? [])]).to.deep.equal(["a", "b"]);
  });

  it("gives each task the spec of its revision", () => {
    const set = new AssignmentSet();
    const { assigned } = set.apply(message(1, [revision, putTask("a")], "complete and last"));
    expect(assigned[0]?.spec.container?.image).to.equal("nginx");
    expect(assigned[0]?.serviceName).to.equal("web");
  });

  it("then takes changes", () => {
    const set = new AssignmentSet();
    set.apply(message(1, [revision, putTask("a")], "complete and last"));
    const news = set.apply(message(2, [putTask("b"), { $case: "removeTaskId", value: "a" }]));
    expect(news.assigned.map((one) => one.task.id)).to.deep.equal(["b"]);
    expect(news.removedTaskIds).to.deep.equal(["a"]);
    expect(news.completeTaskIds).to.equal(undefined);
  });

  const broken: { name: string; messages: Assignments[] }[] = [
    { name: "a gap", messages: [message(1, [], "complete and last"), message(3, [])] },
    { name: "changes before the set", messages: [message(1, [])] },
    {
      name: "a second set",
      messages: [message(1, [], "complete and last"), message(2, [], "complete and last")],
    },
    { name: "a task without its spec", messages: [message(1, [putTask("a")], "complete")] },
  ];
  for (const { name, messages } of broken) {
    it(`does not go on after ${name}`, () => {
      const set = new AssignmentSet();
      const apply = () => {
        for (const one of messages) set.apply(one);
      };
      expect(apply).to.throw("cannot follow the assignments");
    });
  }
});
