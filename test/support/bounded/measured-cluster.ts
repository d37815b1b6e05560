import { type Random, seededRandom } from "../../../core/random.ts";
import { statusChanges } from "../../../manager/dispatcher/status-changes.ts";
import type { ReplicatedLog } from "../../../manager/log/replicated-log.ts";
import type { Planner } from "../../../manager/reconcile/planner.ts";
import { allPlanners } from "../../../manager/reconcile/planners.ts";
import type { StoredTask } from "../../../manager/store/objects.ts";
import { Proposer } from "../../../manager/store/proposer.ts";
import { Store } from "../../../manager/store/store.ts";
import type { View } from "../../../manager/store/tables.ts";
import type { Cursor } from "../../../manager/store/watch-queue.ts";
import { TaskState } from "../../../proto/gen/objects.ts";
import type { Change } from "../../../proto/gen/store.ts";
import { STATUS_BATCH_MAX } from "../../../proto/limits.ts";

/** Rounds after which planners that still want changes are said to undo each other. */
const ROUNDS_MAX = 2_000;

/** The real store, proposer and planners over a log that only measures; workers are played by the test. */
export class MeasuredCluster {
  readonly store = new Store();
  readonly random: Random;
  readonly proposer: Proposer;
  /** Every entry there was. */
  readonly entries: Uint8Array[] = [];
  nowMs = 1_000_000;
  readonly #planners: readonly Planner[];
  readonly #cursor: Cursor;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const log: Pick<ReplicatedLog, "propose"> = {
      propose: async (data) => {
        this.entries.push(data);
        return this.store.apply(this.entries.length, data);
      },
    };
    this.proposer = new Proposer(log, { nowMs: () => this.nowMs });
    this.#planners = allPlanners(this.random);
    this.#cursor = this.store.watch();
    for (const planner of this.#planners) planner.reset(this.view);
  }

  get view(): View {
    return this.store.view();
  }

  async write(...changes: readonly Change[]): Promise<void> {
    await this.proposer.propose(changes);
  }

  /** Lets the planners work until they want nothing. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      let changed = false;
      for (const planner of this.#planners) {
        this.#takeEvents();
        const { groups } = planner.plan(this.view, this.nowMs);
        if (groups.length === 0) continue;
        changed = true;
        await this.proposer.proposeBatched(groups);
      }
      if (!changed) return;
      this.nowMs += 10;
    }
    throw new Error("planners do not come to rest");
  }

  /** Every worker brings its tasks where they are wanted, and says so at length. */
  async work(): Promise<void> {
    await this.settle();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const byNode = new Map<string, StoredTask[]>();
      for (const task of this.view.tasks.values()) {
        if (nextState(task) === undefined) continue;
        const tasks = byNode.get(task.nodeId) ?? [];
        byNode.set(task.nodeId, tasks);
        tasks.push(task);
      }
      if (byNode.size === 0) return;
      for (const [nodeId, tasks] of byNode) await this.#report(nodeId, tasks);
      await this.settle();
    }
    throw new Error("workers and planners do not come to rest");
  }

  async #report(nodeId: string, tasks: readonly StoredTask[]): Promise<void> {
    for (let start = 0; start < tasks.length; start += STATUS_BATCH_MAX) {
      const statuses = tasks.slice(start, start + STATUS_BATCH_MAX).map((task) => ({
        taskId: task.id,
        status: {
          ...task.status,
          state: nextState(task) ?? task.status.state,
          timestampMs: ++this.nowMs,
          message: "m".repeat(2_000),
          err: "",
        },
      }));
      const changes = statusChanges(this.view, nodeId, { sequence: 1, statuses });
      if (changes.length > 0) await this.proposer.proposeBatched([changes]);
    }
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
