import { expect } from "chai";
import { NodeState, Task, TaskState } from "../../proto/gen/objects.ts";
import { ControlFixture } from "../../test/support/control-fixture.ts";
import {
  type ServiceSpecInput,
  StoreFixture,
  serviceSpec,
} from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { updateServiceChanges } from "../store/service-changes.ts";
import { REVISIONS_MAX } from "./reap-revisions.ts";
import { ORPHAN_AFTER_MS, reapSlot } from "./reap-slot.ts";

const { RUNNING, SHUTDOWN, REMOVE } = TaskState;
const { NEW, PENDING, ASSIGNED, FAILED, ORPHANED } = TaskState;

/** Desired and observed state of each task of a slot, oldest first. */
type History = readonly (readonly [desired: TaskState, observed: TaskState])[];

/** A slot with such tasks, named `t1`, `t2`…, on node n1 if they have a node. */
function slot(...tasks: History) {
  const fixture = new StoreFixture();
  fixture.addNode("n1");
  fixture.addService("s");
  tasks.forEach(([desiredState, state], i) => {
    const status = { state, timestampMs: 0, message: "", err: "" };
    const nodeId = state >= ASSIGNED ? "n1" : "";
    const task = { id: `t${i + 1}`, serviceId: "s", slot: 1, revision: 1, nodeId, desiredState };
    fixture.must(createChange("task", { ...Task.fromPartial(task), status }));
  });
  return fixture;
}

function reap(fixture: StoreFixture, history = 5): string[] {
  const { view, nowMs } = fixture;
  return reapSlot(view, view.tasks.ofSlot("s", 1), { history, nowMs }).map(({ object }) => {
    const task = object?.kind?.$case === "task" ? object.kind.value : undefined;
    return task?.status === undefined ? `-${task?.id}` : `${task.id}=${task.status.state}`;
  });
}

describe("reaper: a slot", () => {
  const ended = [SHUTDOWN, FAILED] as const;
  const cases: readonly {
    readonly name: string;
    readonly tasks: History;
    readonly history?: number;
    readonly expected: readonly string[];
  }[] = [
    { name: "running is left alone", tasks: [[RUNNING, RUNNING]], expected: [] },
    { name: "removed once it has ended", tasks: [[REMOVE, SHUTDOWN]], expected: ["-t1"] },
    { name: "not removed while it runs", tasks: [[REMOVE, RUNNING]], expected: [] },
    { name: "removed at once when nobody has it", tasks: [[REMOVE, PENDING]], expected: ["-t1"] },
    { name: "ended here when nobody has it", tasks: [[SHUTDOWN, NEW]], expected: ["t1=640"] },
    {
      name: "keeps as many as the history says, the newest",
      tasks: [ended, ended, ended, ended, [RUNNING, RUNNING]],
      history: 3,
      expected: ["-t1", "-t2"],
    },
    {
      name: "without a history keeps the youngest: its last word",
      tasks: [ended, ended],
      history: 0,
      expected: ["-t1"],
    },
    {
      name: "with an endless history keeps all",
      tasks: [ended, ended, ended],
      history: -1,
      expected: [],
    },
    {
      name: "what still stops is no history",
      tasks: [[SHUTDOWN, RUNNING], ended, [RUNNING, RUNNING]],
      history: 1,
      expected: ["-t2"],
    },
  ];
  for (const { name, tasks, history, expected } of cases) {
    it(name, () => {
      expect(reap(slot(...tasks), history)).to.deep.equal(expected);
    });
  }

  it("orphans the tasks of a removed node", () => {
    const fixture = slot([SHUTDOWN, RUNNING]);
    fixture.must(removeChange("node", "n1"));
    expect(reap(fixture)).to.deep.equal([`t1=${ORPHANED}`]);
  });

  it("orphans what a silent node was told to stop, after a day", () => {
    const fixture = slot([SHUTDOWN, RUNNING], [RUNNING, RUNNING]);
    const status = { state: NodeState.DOWN, message: "", addr: "" };
    fixture.must(updateChange("node", "n1", { status }));
    fixture.nowMs += ORPHAN_AFTER_MS - 1;
    expect(reap(fixture)).to.deep.equal([]);
    fixture.nowMs += 1;
    expect(reap(fixture)).to.deep.equal([`t1=${ORPHANED}`]);
  });
});

describe("reaper: old specs", () => {
  const image = (n: number): ServiceSpecInput => ({ task: { container: { image: `image:${n}` } } });

  it("are kept for history, the oldest not for ever", () => {
    const fixture = new ControlFixture();
    fixture.addCluster();
    fixture.addNode("n1");
    fixture.addService("s", image(0));
    for (let n = 1; n <= 2 * REVISIONS_MAX; n++) {
      const service = fixture.view.services.get("s");
      if (service === undefined) throw new Error("no service");
      const spec = serviceSpec({ name: "s", ...image(n) });
      fixture.must(...updateServiceChanges(fixture.view, service, spec));
      fixture.work();
      fixture.pass(400_000);
    }
    const kept = [...fixture.view.revisions.ofService("s")].map(({ revision }) => revision);
    const used = new Set(fixture.tasksOf("s").map((task) => task.revision));
    expect(kept.length).to.be.within(REVISIONS_MAX, REVISIONS_MAX + used.size);
    expect(kept).to.include(2 * REVISIONS_MAX + 1);
    for (const revision of used) expect(kept).to.include(revision);
  });
});
