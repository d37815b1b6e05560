import { TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { Plan, Planner } from "../reconcile/planner.ts";
import type { StoreEvent } from "../store/apply.ts";
import { updateChange } from "../store/changes.ts";
import { revisionKey, type StoredRevision, type StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isHeld, isWanted } from "../store/task-life.ts";
import { NodeBook } from "./node-book.ts";
import { demandOf } from "./node-usage.ts";
import { placeGroup, refusalOf, type TaskGroup } from "./place.ts";

/** Tasks one plan places at most; more wait for the next, which follows at once. */
export const TASKS_PER_PLAN_MAX = 10_000;

/** A task that was told why it waits is told a new reason no sooner than this. */
export const EXPLAIN_AGAIN_MS = 5_000;

/** Chooses a node for every task that is allocated and wanted. */
export class Scheduler implements Planner {
  readonly name = "scheduler";
  #book = new NodeBook();
  /** Tasks without a node: never tried, and tried in vain. */
  readonly #fresh = new Set<string>();
  readonly #waiting = new Set<string>();
  /** Something changed that may make room for those that wait. */
  #retry = false;
  /** When those that wait may be told a new reason. */
  #explainAtMs = Number.POSITIVE_INFINITY;

  reset(view: View): void {
    this.#book = NodeBook.of(view);
    this.#fresh.clear();
    this.#waiting.clear();
    for (const task of view.tasks.values()) if (needsNode(task)) this.#fresh.add(task.id);
  }

  observe(view: View, event: StoreEvent): void {
    if (event.kind === "task") {
      this.#observeTask(view, event.before, event.after);
    } else if (event.kind === "node") {
      const { before, after } = event;
      if (after !== undefined) this.#book.putNode(view, after);
      else if (before !== undefined) this.#book.removeNode(before.id);
      this.#retry = true;
    }
  }

  plan(view: View, nowMs: number): Plan {
    if (this.#retry || nowMs >= this.#explainAtMs) this.#retryWaiting();
    const changes: Change[] = [];
    for (const group of this.#takeGroups(view)) {
      const assigned = group.tasks.filter((task) => task.nodeId !== "");
      for (const task of assigned) changes.push(...this.#confirm(task, group.revision, nowMs));
      const tasks = group.tasks.filter((task) => task.nodeId === "");
      if (tasks.length === 0) continue;
      const { placed, unplaced, reason } = placeGroup(this.#book, { ...group, tasks }, nowMs);
      for (const { task, nodeId } of placed) changes.push(assign(task, nodeId, nowMs));
      for (const task of unplaced) changes.push(...this.#wait(task, reason, nowMs));
    }
    const wakeAtMs = Number.isFinite(this.#explainAtMs) ? this.#explainAtMs : undefined;
    return { groups: changes.map((change) => [change]), wakeAtMs };
  }

  #observeTask(view: View, before: StoredTask | undefined, after: StoredTask | undefined): void {
    if (after === undefined) {
      if (before === undefined) return;
      this.#book.removeTask(before);
      this.#fresh.delete(before.id);
      this.#waiting.delete(before.id);
      this.#retry = true;
      return;
    }
    if (after.status.state >= TaskState.ASSIGNED) {
      this.#book.putTask(view, after);
      const ends = before !== undefined && isHeld(before) && !isHeld(after);
      const stops = before !== undefined && isWanted(before) && !isWanted(after);
      if (ends || stops) this.#retry = true;
    }
    if (needsNode(after) && !this.#waiting.has(after.id)) this.#fresh.add(after.id);
  }

  #retryWaiting(): void {
    for (const id of this.#waiting) this.#fresh.add(id);
    this.#waiting.clear();
    this.#retry = false;
    this.#explainAtMs = Number.POSITIVE_INFINITY;
  }

  /** The next tasks to place, those of one revision together. */
  #takeGroups(view: View): Iterable<TaskGroup> {
    const groups = new Map<string, TaskGroup & { readonly tasks: StoredTask[] }>();
    let count = 0;
    for (const id of this.#fresh) {
      if (count >= TASKS_PER_PLAN_MAX) break;
      this.#fresh.delete(id);
      const task = view.tasks.get(id);
      if (task === undefined || !needsNode(task)) continue;
      const revision = view.revisions.find(task.serviceId, task.revision);
      if (revision === undefined) continue;
      count++;
      const key = revisionKey(task.serviceId, task.revision);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { revision, tasks: [task] });
      else group.tasks.push(task);
    }
    return groups.values();
  }

  /** A task of a global service has its node from the start; whether the node can take it is seen here. */
  #confirm(task: StoredTask, revision: StoredRevision, nowMs: number): Change[] {
    const refusal = refusalOf(this.#book, task.nodeId, revision);
    if (refusal !== "") return this.#wait(task, refusal, nowMs);
    this.#book.assign(task.id, task.nodeId, demandOf(revision));
    return [assign(task, task.nodeId, nowMs)];
  }

  /** Puts a task aside and tells it why; not again and again while reasons change quickly. */
  #wait(task: StoredTask, reason: string, nowMs: number): Change[] {
    this.#waiting.add(task.id);
    const { err, timestampMs } = task.status;
    if (err === reason) return [];
    if (err !== "" && nowMs < timestampMs + EXPLAIN_AGAIN_MS) {
      this.#explainAtMs = Math.min(this.#explainAtMs, timestampMs + EXPLAIN_AGAIN_MS);
      return [];
    }
    const message = "pending task scheduling";
    const status = { state: TaskState.PENDING, timestampMs: nowMs, message, err: reason };
    return [updateChange("task", task.id, { status }, { skipIfAbsent: true })];
  }
}

function needsNode(task: StoredTask): boolean {
  return task.status.state === TaskState.PENDING && isWanted(task);
}

function assign(task: StoredTask, nodeId: string, nowMs: number): Change {
  const message = "scheduler assigned task to node";
  const status = { state: TaskState.ASSIGNED, timestampMs: nowMs, message, err: "" };
  return updateChange("task", task.id, { nodeId, status }, { skipIfAbsent: true });
}
