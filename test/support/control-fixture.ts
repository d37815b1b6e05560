import { type Random, randomInt, seededRandom } from "../../core/random.ts";
import type { Planner } from "../../manager/reconcile/planner.ts";
import { allPlanners } from "../../manager/reconcile/planners.ts";
import type { StoredTask } from "../../manager/store/objects.ts";
import type { Cursor } from "../../manager/store/watch-queue.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { StoreFixture } from "./store-fixture.ts";

/** Rounds after which planners that still want changes are said to undo each other. */
const ROUNDS_MAX = 500;

/**
 * A store with its planners and workers played by the test: time stands still unless the test moves it, and tasks get
 * on when the test says so.
 */
export class ControlFixture extends StoreFixture {
  readonly random: Random;
  readonly #planners: readonly Planner[];
  readonly #cursor: Cursor;
  #wakeAtMs: number | undefined;

  constructor(options: { readonly seed?: number; readonly planners?: readonly Planner[] } = {}) {
    super();
    this.random = seededRandom(options.seed ?? 1);
    this.#planners = options.planners ?? allPlanners(this.random);
    this.#cursor = this.store.watch();
    for (const planner of this.#planners) planner.reset(this.view);
  }

  /** As after a change of leader: planners that remember nothing. */
  forget(): void {
    this.#takeEvents();
    for (const planner of this.#planners) planner.reset(this.view);
  }

  /** When some planner asked to be woken. */
  get wakeAtMs(): number | undefined {
    return this.#wakeAtMs;
  }

  /** Lets the planners work until they want nothing. @throws when they do not come to rest. */
  settle(): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      let changed = false;
      this.#wakeAtMs = undefined;
      for (const planner of this.#planners) {
        this.#takeEvents();
        const { groups, wakeAtMs } = planner.plan(this.view, this.nowMs);
        if (wakeAtMs !== undefined) {
          this.#wakeAtMs = Math.min(this.#wakeAtMs ?? Number.POSITIVE_INFINITY, wakeAtMs);
        }
        for (const group of groups) {
          changed = true;
          this.must(...group);
        }
      }
      if (!changed) return;
    }
    throw new Error("planners do not come to rest");
  }

  /** Moves time on, stopping wherever a planner asked to be woken. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    this.settle();
    while (this.#wakeAtMs !== undefined && this.#wakeAtMs <= endMs) {
      this.nowMs = Math.max(this.nowMs + 1, this.#wakeAtMs);
      this.settle();
    }
    this.nowMs = Math.max(this.nowMs, endMs);
    this.settle();
  }

  /** What a healthy worker does at once: starts what is to run, stops what is to stop. */
  work(accept: (task: StoredTask) => boolean = () => true): void {
    this.settle();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const news = [...this.view.tasks.values()].filter(accept).flatMap((task) => {
        const state = nextState(task);
        return state === undefined ? [] : [{ task, state }];
      });
      if (news.length === 0) return;
      this.nowMs++;
      for (const { task, state } of news) this.report(task, state);
      this.settle();
    }
    throw new Error("workers and planners do not come to rest");
  }

  /** One task as its worker may go on with it, by chance: for random tests. */
  workAtRandom(failing: number): void {
    const tasks = [...this.view.tasks.values()].filter((task) => nextState(task) !== undefined);
    const task = tasks[randomInt(this.random, Math.max(1, tasks.length))];
    if (task === undefined) return;
    const fails = this.random.next() < failing;
    this.report(task, fails ? TaskState.FAILED : (nextState(task) ?? TaskState.FAILED));
  }

  running(serviceId: string): StoredTask[] {
    return this.tasksOf(serviceId).filter(
      (task) => task.status.state === TaskState.RUNNING && task.desiredState === TaskState.RUNNING,
    );
  }

  #takeEvents(): void {
    const batch = this.#cursor.take();
    if (batch.kind === "resync") {
      for (const planner of this.#planners) planner.reset(this.view);
      return;
    }
    for (const event of batch.events) {
      for (const planner of this.#planners) planner.observe(this.view, event);
    }
  }
}

function nextState(task: StoredTask): TaskState | undefined {
  const { state } = task.status;
  if (state < TaskState.ASSIGNED || state > TaskState.RUNNING) return undefined;
  if (task.desiredState > TaskState.RUNNING) return TaskState.SHUTDOWN;
  if (state < TaskState.READY) return TaskState.READY;
  return task.desiredState === TaskState.RUNNING && state < TaskState.RUNNING
    ? TaskState.RUNNING
    : undefined;
}
