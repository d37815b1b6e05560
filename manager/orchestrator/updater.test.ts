import { expect } from "chai";
import {
  UpdateStatus_State as State,
  TaskState,
  type UpdateStatus,
} from "../../proto/gen/objects.ts";
import { ControlFixture } from "../../test/support/control-fixture.ts";
import { type ServiceSpecInput, serviceSpec } from "../../test/support/store-fixture.ts";
import type { StoredService, StoredTask } from "../store/objects.ts";
import { rollbackServiceChanges, updateServiceChanges } from "../store/service-changes.ts";

const V1 = { container: { image: "web:1" } };
const V2 = { container: { image: "web:2" } };
const START_FIRST = 2;
const PAUSE = 1;
const CONTINUE = 2;
const ROLLBACK = 3;

function cluster(spec: ServiceSpecInput): ControlFixture {
  const fixture = new ControlFixture();
  fixture.addCluster();
  fixture.addNode("n1");
  fixture.addNode("n2");
  fixture.addService("web", { replicas: 4, task: V1, ...spec });
  fixture.work();
  fixture.pass(60_000);
  return fixture;
}

function web(fixture: ControlFixture): StoredService {
  const service = fixture.view.services.get("web");
  if (service === undefined) throw new Error("no service");
  return service;
}

function update(fixture: ControlFixture, spec: ServiceSpecInput): void {
  const next = serviceSpec({ name: "web", replicas: 4, task: V2, ...spec });
  fixture.must(...updateServiceChanges(fixture.view, web(fixture), next));
  fixture.settle();
}

const state = (fixture: ControlFixture): UpdateStatus["state"] | undefined =>
  web(fixture).updateStatus?.state;
const revisions = (fixture: ControlFixture) => fixture.running("web").map((task) => task.revision);
const newTasks = (fixture: ControlFixture) =>
  fixture.tasksOf("web").filter((task) => task.revision === 2);
const isOld = (task: StoredTask) => task.revision === 1;

describe("orchestrator: rolling updates", () => {
  it("get on and end although the clock is set back in the middle", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, delayNs: 10e9 } });
    fixture.work();
    expect(newTasks(fixture).length).to.equal(1);
    fixture.nowMs -= 600_000;
    fixture.forget();
    fixture.work();
    for (let i = 0; i < 3; i++) {
      fixture.pass(10_000);
      fixture.work();
    }
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
    fixture.pass(5_000);
    expect(state(fixture)).to.equal(State.COMPLETED);
  });

  it("replace `parallelism` slots at a time, stopping the old first", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 2 } });
    expect(newTasks(fixture).length).to.equal(2);
    expect(newTasks(fixture).every((task) => task.desiredState === TaskState.READY)).to.equal(true);
    expect(fixture.running("web").length).to.equal(2);
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
    expect(state(fixture)).to.equal(State.UPDATING);
    fixture.pass(5_000);
    expect(state(fixture)).to.equal(State.COMPLETED);
  });

  it("wait for the delay between slots", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, delayNs: 10e9 } });
    fixture.work();
    expect(revisions(fixture).sort()).to.deep.equal([1, 1, 1, 2]);
    fixture.pass(9_000);
    expect(newTasks(fixture).length).to.equal(1);
    fixture.pass(1_100);
    expect(newTasks(fixture).length).to.equal(2);
  });

  it("start-first never has fewer tasks than asked for, nor more than one extra a slot", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 2, order: START_FIRST } });
    for (let round = 0; round < 60; round++) {
      expect(fixture.running("web").length).to.be.within(4, 6);
      fixture.workAtRandom(0);
      fixture.settle();
    }
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
  });

  it("start-first goes on after its delay when a new task has failed, whatever the old one does", () => {
    const fixture = cluster({ replicas: 1 });
    const order = START_FIRST;
    update(fixture, { replicas: 1, update: { parallelism: 1, order, failureAction: CONTINUE } });
    const [first] = newTasks(fixture);
    if (first === undefined) throw new Error("no new task");
    fixture.report(first, TaskState.FAILED, "exit 1");
    fixture.settle();
    expect(revisions(fixture)).to.deep.equal([1]);
    fixture.pass(5_000);
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([2]);
  });

  it("parallelism 0 replaces all at once", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 0 } });
    expect(newTasks(fixture).length).to.equal(4);
  });

  it("only what its tasks do not depend on changes no task", () => {
    const fixture = cluster({});
    update(fixture, { task: V1, labels: { a: "b" } });
    expect(newTasks(fixture)).to.deep.equal([]);
    expect(state(fixture)).to.equal(undefined);
  });

  it("force replaces all although nothing else changed", () => {
    const fixture = cluster({});
    update(fixture, { task: { ...V1, forceUpdate: 1 } });
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
  });

  it("go on under a leader that remembers nothing", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, delayNs: 1e9 } });
    for (let round = 0; round < 10; round++) {
      fixture.forget();
      fixture.work();
      fixture.pass(1_000);
    }
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
    fixture.pass(5_000);
    expect(state(fixture)).to.equal(State.COMPLETED);
    expect(newTasks(fixture).length).to.equal(4);
  });

  it("a newer spec midway goes to all", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1 } });
    update(fixture, { task: { container: { image: "web:3" } }, update: { parallelism: 1 } });
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([3, 3, 3, 3]);
    expect(fixture.running("web").length).to.equal(4);
  });
});

describe("orchestrator: updates that fail", () => {
  /** Fails each new task as soon as its worker has it. */
  function failNew(fixture: ControlFixture): void {
    for (let round = 0; round < 8; round++) {
      fixture.work(isOld);
      for (const task of newTasks(fixture)) {
        const { state: observed } = task.status;
        if (observed < TaskState.ASSIGNED || observed > TaskState.RUNNING) continue;
        fixture.report(task, TaskState.FAILED, "exit 1");
        fixture.settle();
      }
    }
  }

  it("pause, and leave the other slots alone", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, failureAction: PAUSE } });
    failNew(fixture);
    expect(state(fixture)).to.equal(State.PAUSED);
    expect(web(fixture).updateStatus?.message).to.match(/^update paused due to failure or early/);
    expect(revisions(fixture)).to.deep.equal([1, 1, 1]);
  });

  it("go on after a pause when the user updates again", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, failureAction: PAUSE } });
    failNew(fixture);
    update(fixture, { task: { container: { image: "web:3" } } });
    fixture.work();
    fixture.pass(10_000);
    expect(revisions(fixture)).to.deep.equal([3, 3, 3, 3]);
    expect(state(fixture)).to.equal(State.COMPLETED);
  });

  it("continue when told to", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, failureAction: CONTINUE } });
    failNew(fixture);
    expect(fixture.running("web")).to.deep.equal([]);
  });

  it("roll back, and keep the tasks that were not touched yet", () => {
    const fixture = cluster({});
    const before = fixture.running("web").map((task) => task.id);
    update(fixture, { update: { parallelism: 1, failureAction: ROLLBACK } });
    failNew(fixture);
    fixture.work();
    fixture.pass(10_000);
    fixture.work();
    expect(state(fixture)).to.equal(State.ROLLBACK_COMPLETED);
    expect(web(fixture).spec.task.container?.image).to.equal("web:1");
    expect(revisions(fixture)).to.deep.equal([1, 1, 1, 1]);
    const kept = fixture.running("web").filter((task) => before.includes(task.id));
    expect(kept.length).to.equal(3);
  });

  it("roll back start-first without ever stopping a good task", () => {
    const fixture = cluster({});
    const before = fixture.running("web").map((task) => task.id);
    const order = START_FIRST;
    update(fixture, { update: { parallelism: 2, order, failureAction: ROLLBACK } });
    failNew(fixture);
    fixture.work();
    fixture.pass(10_000);
    expect(fixture.running("web").map((task) => task.id)).to.deep.equal(before);
    expect(state(fixture)).to.equal(State.ROLLBACK_COMPLETED);
  });

  it("up to the ratio are let pass", () => {
    const fixture = cluster({});
    update(fixture, { update: { parallelism: 1, failureAction: PAUSE, maxFailureRatio: 0.25 } });
    const [first] = newTasks(fixture);
    fixture.work(isOld);
    if (first === undefined) throw new Error("no new task");
    fixture.report(first, TaskState.FAILED, "exit 1");
    fixture.work();
    fixture.pass(30_000);
    fixture.work();
    expect(revisions(fixture)).to.deep.equal([2, 2, 2, 2]);
    expect(web(fixture).updateStatus).to.include({ totalSlots: 4, failedSlots: 1 });
  });

  it("a user's rollback takes the previous spec and says so", () => {
    const fixture = cluster({});
    update(fixture, {});
    fixture.work();
    const changes = rollbackServiceChanges(fixture.view, web(fixture), fixture.nowMs);
    fixture.must(...(changes ?? []));
    fixture.work();
    fixture.pass(10_000);
    expect(revisions(fixture)).to.deep.equal([1, 1, 1, 1]);
    expect(state(fixture)).to.equal(State.ROLLBACK_COMPLETED);
  });
});
