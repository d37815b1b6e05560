import { expect } from "chai";
import { newId } from "../../core/ids.ts";
import { seededRandom } from "../../core/random.ts";
import { NodeAvailability, NodeState, Task, TaskState } from "../../proto/gen/objects.ts";
import { type Change, Transaction } from "../../proto/gen/store.ts";
import { ControlFixture } from "../../test/support/control-fixture.ts";
import { type ServiceSpecInput, serviceSpec } from "../../test/support/store-fixture.ts";
import { ENTRY_BYTES_MAX } from "../log/replicated-log.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import type { StoredTask } from "../store/objects.ts";
import { removeServiceChanges, updateServiceChanges } from "../store/service-changes.ts";
import { Orchestrator } from "./orchestrator.ts";
import { CHANGES_PER_PLAN_MAX, planService, SLOTS_PER_PLAN_MAX } from "./service-plan.ts";

/** The longest a restart waits. */
const BACKOFF_MAX_MS = 300_000;

function cluster(nodes: number, spec: ServiceSpecInput): ControlFixture {
  const fixture = new ControlFixture();
  fixture.addCluster();
  for (let i = 1; i <= nodes; i++) fixture.addNode(`n${i}`);
  fixture.addService("web", spec);
  fixture.work();
  return fixture;
}

function update(fixture: ControlFixture, spec: ServiceSpecInput): void {
  const service = fixture.view.services.get("web");
  if (service === undefined) throw new Error("no service");
  const next = serviceSpec({ name: "web", ...spec });
  fixture.must(...updateServiceChanges(fixture.view, service, next));
}

const slots = (tasks: readonly StoredTask[]) => tasks.map((task) => task.slot);
const wanted = (fixture: ControlFixture) =>
  fixture.tasksOf("web").filter((task) => task.desiredState <= TaskState.RUNNING);
const setNode = (fixture: ControlFixture, id: string, state: NodeState) => {
  const status = { state, message: "", addr: "192.0.2.1" };
  fixture.must(updateChange("node", id, { status }));
};
const drain = (fixture: ControlFixture, id: string) => {
  const spec = { name: "", labels: {}, role: 0 as const, availability: NodeAvailability.DRAIN };
  fixture.must(updateChange("node", id, { spec }));
};

describe("orchestrator: replicated services", () => {
  it("fill their slots from 1", () => {
    const fixture = cluster(3, { replicas: 5 });
    expect(slots(fixture.running("web"))).to.deep.equal([1, 2, 3, 4, 5]);
    expect(new Set(fixture.running("web").map((task) => task.nodeId)).size).to.equal(3);
  });

  it("scale up into the lowest free slots", () => {
    const fixture = cluster(2, { replicas: 2 });
    update(fixture, { replicas: 4 });
    fixture.work();
    expect(slots(fixture.running("web"))).to.deep.equal([1, 2, 3, 4]);
  });

  it("scale down gives up what does not run first, then evenly, and leaves nothing", () => {
    const fixture = cluster(3, { replicas: 6 });
    const [first] = fixture.running("web");
    if (first === undefined) throw new Error("no task");
    fixture.report(first, TaskState.FAILED);
    fixture.settle();
    update(fixture, { replicas: 3 });
    fixture.work();
    expect(slots(fixture.running("web"))).not.to.contain(1);
    expect(new Set(fixture.running("web").map((task) => task.nodeId)).size).to.equal(3);
    expect(fixture.tasksOf("web").length).to.equal(3);
  });

  it("scale to zero and back", () => {
    const fixture = cluster(1, { replicas: 3 });
    update(fixture, { replicas: 0 });
    fixture.work();
    expect(fixture.tasksOf("web")).to.deep.equal([]);
    update(fixture, { replicas: 2 });
    fixture.work();
    expect(slots(fixture.running("web"))).to.deep.equal([1, 2]);
  });

  it("a slot filled again waits for the task that is leaving it", () => {
    const fixture = cluster(1, { replicas: 1 });
    update(fixture, { replicas: 0 });
    fixture.settle();
    update(fixture, { replicas: 1 });
    fixture.settle();
    const task = wanted(fixture)[0];
    expect(task?.desiredState).to.equal(TaskState.READY);
    fixture.work();
    expect(slots(fixture.running("web"))).to.deep.equal([1]);
  });

  it("removed with their service, whose name can be had at once", () => {
    const fixture = cluster(2, { replicas: 3 });
    const service = fixture.view.services.get("web");
    if (service === undefined) throw new Error("no service");
    fixture.must(...removeServiceChanges(service));
    fixture.addService("web2", { name: "web" });
    fixture.work();
    expect(fixture.tasksOf("web")).to.deep.equal([]);
    expect([...fixture.view.revisions.ofService("web")]).to.deep.equal([]);
    expect(fixture.running("web2").length).to.equal(1);
  });
});

describe("orchestrator: tasks that end", () => {
  const fail = (fixture: ControlFixture) => {
    const [task] = fixture.running("web");
    if (task === undefined) throw new Error("nothing runs");
    fixture.report(task, TaskState.FAILED, "exit 1");
    fixture.settle();
  };

  it("are replaced in their slot after the delay", () => {
    const fixture = cluster(1, { replicas: 1 });
    fail(fixture);
    const [next] = wanted(fixture);
    expect(next).to.include({ slot: 1, desiredState: TaskState.READY });
    fixture.pass(4_999);
    expect(wanted(fixture)[0]?.desiredState).to.equal(TaskState.READY);
    fixture.pass(1);
    fixture.work();
    expect(fixture.running("web").length).to.equal(1);
  });

  it("do not wait out a clock that was set back meanwhile", () => {
    const fixture = cluster(1, { replicas: 1 });
    fail(fixture);
    fixture.nowMs -= 600_000;
    fixture.forget();
    fixture.work();
    expect(fixture.running("web").length).to.equal(1);
  });

  it("wait longer and longer while they fail quickly", () => {
    const fixture = cluster(1, { replicas: 1 });
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      fail(fixture);
      const startedMs = fixture.nowMs;
      while (fixture.running("web").length === 0) {
        fixture.pass(1_000);
        fixture.work();
      }
      delays.push(Math.round((fixture.nowMs - startedMs) / 5_000) * 5);
    }
    expect(delays).to.deep.equal([5, 10, 20, 40, 80, 160, 300, 300]);
  });

  it("that could not be prepared are tried again after the delay, not before", () => {
    const fixture = cluster(1, { replicas: 1 });
    fail(fixture);
    const reject = () => {
      for (const task of wanted(fixture)) fixture.report(task, TaskState.REJECTED, "no such image");
      fixture.settle();
    };
    reject();
    reject();
    expect(fixture.tasksOf("web").length).to.equal(2);
    fixture.pass(4_999);
    expect(fixture.tasksOf("web").length).to.equal(2);
    fixture.pass(1);
    expect(fixture.tasksOf("web").length).to.equal(3);
  });

  it("stay ended when the policy says so, and still count as the slot's", () => {
    const none = { task: { container: { image: "job" }, restart: { condition: 1 as const } } };
    const fixture = cluster(1, { replicas: 2, ...none });
    const [task] = fixture.running("web");
    if (task === undefined) throw new Error("nothing runs");
    fixture.report(task, TaskState.COMPLETE);
    fixture.pass(60_000);
    fixture.forget();
    fixture.settle();
    expect(slots(wanted(fixture))).to.deep.equal([2]);
    expect(fixture.view.tasks.get(task.id)?.desiredState).to.equal(TaskState.SHUTDOWN);
  });

  it("are kept as history, five tasks a slot", () => {
    const fixture = cluster(1, { replicas: 1 });
    for (let i = 0; i < 9; i++) {
      fixture.pass(BACKOFF_MAX_MS);
      fixture.work();
      fail(fixture);
    }
    expect(fixture.tasksOf("web").length).to.equal(5);
  });
});

describe("orchestrator: nodes", () => {
  it("a lost node's tasks are replaced at once", () => {
    const fixture = cluster(3, { replicas: 6 });
    setNode(fixture, "n1", NodeState.DOWN);
    fixture.work((task) => task.nodeId !== "n1");
    expect(slots(fixture.running("web"))).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(fixture.running("web").every((task) => task.nodeId !== "n1")).to.equal(true);
  });

  it("a lost node's task is replaced, but not started while the one before it in its slot still runs", () => {
    const fixture = cluster(3, { replicas: 1 });
    const [old] = fixture.running("web");
    update(fixture, { replicas: 1, task: { container: { image: "web:2" } } });
    fixture.settle();
    const [prepared] = wanted(fixture);
    expect(prepared?.nodeId).to.not.equal(old?.nodeId);
    setNode(fixture, prepared?.nodeId ?? "", NodeState.DOWN);
    fixture.settle();
    const [next] = wanted(fixture);
    expect(next?.id).to.not.equal(prepared?.id);
    expect(next?.desiredState).to.equal(TaskState.READY);
    fixture.work((task) => task.nodeId !== prepared?.nodeId);
    expect(fixture.running("web").map(({ id }) => id)).to.deep.equal([next?.id]);
  });

  it("what comes back with a lost node is stopped", () => {
    const fixture = cluster(2, { replicas: 4 });
    setNode(fixture, "n1", NodeState.DOWN);
    fixture.work((task) => task.nodeId !== "n1");
    setNode(fixture, "n1", NodeState.READY);
    fixture.work();
    expect(slots(fixture.running("web"))).to.deep.equal([1, 2, 3, 4]);
    const held = fixture
      .tasksOf("web")
      .filter((task) => task.nodeId === "n1" && task.status.state <= TaskState.RUNNING);
    expect(held).to.deep.equal([]);
  });

  it("a removed node's tasks are orphaned and replaced", () => {
    const fixture = cluster(2, { replicas: 2 });
    fixture.must(removeChange("node", "n1"));
    fixture.work();
    expect(fixture.running("web").map((task) => task.nodeId)).to.deep.equal(["n2", "n2"]);
    const orphans = fixture.tasksOf("web").filter((task) => task.nodeId === "n1");
    expect(orphans.map((task) => task.status.state)).to.deep.equal([TaskState.ORPHANED]);
  });

  it("a drained node is left", () => {
    const fixture = cluster(2, { replicas: 4 });
    drain(fixture, "n1");
    fixture.work();
    expect(fixture.running("web").map((task) => task.nodeId)).to.deep.equal(Array(4).fill("n2"));
  });

  it("a drained node is left start-first where updates are", () => {
    const fixture = cluster(2, { replicas: 4, update: { parallelism: 1, order: 2 } });
    drain(fixture, "n1");
    fixture.settle();
    expect(fixture.running("web").length).to.equal(4);
    fixture.work();
    expect(fixture.running("web").map((task) => task.nodeId)).to.deep.equal(Array(4).fill("n2"));
  });

  it("a global service runs once on each node that takes tasks", () => {
    const fixture = cluster(2, { mode: { $case: "global", value: {} } });
    const nodes = () =>
      fixture
        .running("web")
        .map((task) => task.nodeId)
        .sort();
    expect(nodes()).to.deep.equal(["n1", "n2"]);
    fixture.addNode("n3");
    fixture.work();
    expect(nodes()).to.deep.equal(["n1", "n2", "n3"]);
    drain(fixture, "n2");
    fixture.work();
    expect(nodes()).to.deep.equal(["n1", "n3"]);
    setNode(fixture, "n3", NodeState.DOWN);
    fixture.work((task) => task.nodeId !== "n3");
    setNode(fixture, "n3", NodeState.READY);
    fixture.work();
    expect(nodes()).to.deep.equal(["n1", "n3"]);
  });
});

describe("orchestrator: however much there is to do", () => {
  /** What the service needs at first, as one transaction. */
  const planned = (fixture: ControlFixture): Change[] => {
    const service = fixture.view.services.get("web") ?? expect.fail("there is no service");
    const newTaskId = () => newId(fixture.random);
    const plan = planService({ view: fixture.view, service, nowMs: fixture.nowMs, newTaskId });
    return [...plan.changes];
  };
  const bytesOf = (changes: Change[]) => Transaction.encode({ changes, nowMs: 0 }).finish().length;

  it("plans no more at once than a log entry holds", () => {
    const fixture = new ControlFixture();
    fixture.addService("web", { replicas: 100_000 });
    const changes = planned(fixture);
    expect(changes).to.have.length(SLOTS_PER_PLAN_MAX);
    expect(bytesOf(changes)).to.be.lessThan(ENTRY_BYTES_MAX);
  });

  it("fills each slot once, also where one plan does not fill them all", () => {
    const fixture = new ControlFixture({ planners: [new Orchestrator(seededRandom(1))] });
    fixture.addService("web", { replicas: SLOTS_PER_PLAN_MAX + 100 });
    fixture.settle();
    const filled = slots(fixture.tasksOf("web"));
    expect(filled).to.have.length(SLOTS_PER_PLAN_MAX + 100);
    expect(new Set(filled).size).to.equal(filled.length);
  });

  it("nor where slots are full of ended tasks", () => {
    const fixture = new ControlFixture();
    fixture.addNode("n1");
    fixture.addService("web", { replicas: 0 });
    for (let slot = 1; slot <= 35; slot++) {
      const tasks = Array.from({ length: 200 }, (_, i) => ({
        ...{ id: `t${slot}-${i}`, serviceId: "web", slot, revision: 1, nodeId: "n1" },
        ...{ desiredState: TaskState.SHUTDOWN, status: { state: TaskState.FAILED } },
      }));
      fixture.must(...tasks.map((task) => createChange("task", Task.fromPartial(task))));
    }
    const changes = planned(fixture);
    expect(changes.length)
      .to.be.at.least(CHANGES_PER_PLAN_MAX)
      .and.lessThan(35 * 200);
    expect(bytesOf(changes)).to.be.lessThan(ENTRY_BYTES_MAX);
  }).timeout(10_000);
});
