import { expect } from "chai";
import { silentLog } from "../../core/log.ts";
import { seededRandom } from "../../core/random.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { nodeObject, serviceSpec } from "../../test/support/store-fixture.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { createChange, updateChange } from "../store/changes.ts";
import type { StoredTask } from "../store/objects.ts";
import { Proposer } from "../store/proposer.ts";
import { createServiceChanges } from "../store/service-changes.ts";
import { Store } from "../store/store.ts";
import { CLOCK_LOOK_MS, ControlLoop, RETRY_MIN_MS } from "./loop.ts";
import type { Planner } from "./planner.ts";
import { allPlanners } from "./planners.ts";

/** Turns of the microtask queue within which everything that needs no timer is done. */
const TURNS = 2_000;

class LoopFixture {
  readonly clock = new FakeClock();
  readonly store = new Store();
  readonly log = new MemoryLog(this.store);
  readonly proposer = new Proposer(this.log, this.clock);
  readonly loop: ControlLoop;

  constructor(planners: readonly Planner[] = allPlanners(seededRandom(1))) {
    const { store, proposer, clock } = this;
    this.loop = new ControlLoop({ store, proposer, planners, clock, log: silentLog });
  }

  async addNodes(count: number): Promise<void> {
    const nodes = Array.from({ length: count }, (_, i) => nodeObject(`n${i}`));
    await this.proposer.propose(nodes.map((node) => createChange("node", node)));
  }

  async addService(id: string, replicas: number): Promise<void> {
    await this.proposer.propose(createServiceChanges(id, serviceSpec({ name: id, replicas })));
  }

  tasks(state: TaskState): StoredTask[] {
    return [...this.store.view().tasks.values()].filter((task) => task.status.state === state);
  }

  async report(tasks: readonly StoredTask[], state: TaskState): Promise<void> {
    const status = { state, timestampMs: this.clock.nowMs(), message: "", err: "" };
    await this.proposer.propose(tasks.map((task) => updateChange("task", task.id, { status })));
  }
}

/** Lets everything happen that waits for nothing but the queue of microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

describe("control loop", () => {
  it("takes a service from its creation to tasks on nodes, and replaces what fails", async () => {
    const fixture = new LoopFixture();
    await fixture.addNodes(3);
    fixture.loop.lead();
    await fixture.addService("web", 6);
    await settle();
    const assigned = fixture.tasks(TaskState.ASSIGNED);
    expect(assigned.length).to.equal(6);

    await fixture.report(assigned, TaskState.RUNNING);
    const [first] = assigned;
    if (first === undefined) throw new Error("no task");
    await fixture.report([first], TaskState.FAILED);
    await settle();
    const [next] = fixture.tasks(TaskState.ASSIGNED);
    expect(next).to.include({ slot: first.slot, desiredState: TaskState.READY });
    await fixture.clock.advance(5_000);
    await settle();
    const raised = fixture.store.view().tasks.get(next?.id ?? "");
    expect(raised?.desiredState).to.equal(TaskState.RUNNING);
    fixture.loop.resign();
  });

  it("does nothing before it leads nor after, and all that was left when it leads again", async () => {
    const fixture = new LoopFixture();
    await fixture.addNodes(1);
    await fixture.addService("a", 1);
    await settle();
    expect(fixture.store.view().tasks.size).to.equal(0);
    fixture.loop.lead();
    await settle();
    expect(fixture.tasks(TaskState.ASSIGNED).length).to.equal(1);
    fixture.loop.resign();
    await fixture.addService("b", 1);
    await settle();
    expect(fixture.store.view().tasks.size).to.equal(1);
    fixture.loop.lead();
    await settle();
    expect(fixture.tasks(TaskState.ASSIGNED).length).to.equal(2);
    fixture.loop.resign();
  });

  it("plans anew after a refusal, a little later", async () => {
    let resets = 0;
    const stubborn: Planner = {
      name: "stubborn",
      reset: () => {
        resets++;
      },
      observe: () => undefined,
      plan: () =>
        resets < 3
          ? { groups: [[updateChange("node", "gone", { role: 1 })]], wakeAtMs: undefined }
          : { groups: [], wakeAtMs: undefined },
    };
    const fixture = new LoopFixture([stubborn]);
    fixture.loop.lead();
    await settle();
    expect(resets).to.equal(1);
    await fixture.clock.advance(RETRY_MIN_MS);
    await settle();
    expect(resets).to.equal(2);
    await fixture.clock.advance(RETRY_MIN_MS);
    await settle();
    expect(resets).to.equal(2);
    await fixture.clock.advance(RETRY_MIN_MS);
    await settle();
    expect(resets).to.equal(3);
    fixture.loop.resign();
  });

  it("starts over when the wall clock was set back: times before it would not come", async () => {
    let resets = 0;
    const waiting: Planner = {
      name: "waiting",
      reset: () => {
        resets++;
      },
      observe: () => undefined,
      plan: (_view, nowMs) => ({ groups: [], wakeAtMs: nowMs + 60_000 }),
    };
    const fixture = new LoopFixture([waiting]);
    fixture.loop.lead();
    await settle();
    await fixture.clock.advance(CLOCK_LOOK_MS);
    await settle();
    expect(resets).to.equal(1);
    fixture.clock.wallOffsetMs = -3_600_000;
    await fixture.clock.advance(CLOCK_LOOK_MS);
    await settle();
    expect(resets).to.equal(2);
    fixture.loop.resign();
  });
});
