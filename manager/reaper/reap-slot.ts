import { NodeState, TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { removeChange, updateChange } from "../store/changes.ts";
import type { StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded, isWanted } from "../store/task-life.ts";

/** How long a node may be down before what it was told to stop counts as stopped. Source: swarmkit, 24 h. */
export const ORPHAN_AFTER_MS = 24 * 60 * 60_000;

/** Docker's number of tasks kept per slot. */
export const TASK_HISTORY_DEFAULT = 5;

/**
 * What is to be tidied in one slot:
 * - a task no worker has and none should get ends here;
 * - a task whose node is gone is orphaned: nobody will report its end;
 * - a task to be removed goes once its worker has confirmed its end;
 * - of the tasks that ended, as many are kept as make `history` in all; the youngest always, as it may be the slot's
 *   last word.
 */
export function reapSlot(
  view: View,
  tasks: readonly StoredTask[],
  { history, nowMs }: { readonly history: number; readonly nowMs: number },
): Change[] {
  const changes: Change[] = [];
  const kept: StoredTask[] = [];
  for (const task of tasks) {
    const unassigned = task.status.state < TaskState.ASSIGNED;
    if (task.desiredState === TaskState.REMOVE && (isEnded(task) || unassigned)) {
      changes.push(remove(task));
    } else if (unassigned && !isWanted(task)) {
      changes.push(
        end(task, TaskState.SHUTDOWN, "not needed any more before it had a node", nowMs),
      );
      kept.push(task);
    } else if (!isEnded(task) && !unassigned && isOrphaned(view, task, nowMs)) {
      changes.push(end(task, TaskState.ORPHANED, "its node is gone", nowMs));
      kept.push(task);
    } else {
      kept.push(task);
    }
  }
  return [...changes, ...trim(kept, history).map(remove)];
}

/** When a slot needs another look: when a task on a node that is down becomes an orphan. */
export function nextOrphanMs(view: View, tasks: readonly StoredTask[]): number | undefined {
  const times = tasks
    .filter((task) => !isEnded(task) && !isWanted(task) && isDown(view, task))
    .map((task) => orphanTimeMs(view, task));
  return times.length === 0 ? undefined : Math.min(...times);
}

function trim(tasks: readonly StoredTask[], history: number): StoredTask[] {
  if (history < 0 || tasks.length <= Math.max(history, 1)) return [];
  const byAge = [...tasks].sort((a, b) => a.meta.version - b.meta.version);
  const youngest = byAge.at(-1);
  return byAge
    .filter((task) => isEnded(task) && !isWanted(task) && task !== youngest)
    .slice(0, tasks.length - Math.max(history, 1));
}

function isOrphaned(view: View, task: StoredTask, nowMs: number): boolean {
  if (view.nodes.get(task.nodeId) === undefined) return true;
  return isDown(view, task) && !isWanted(task) && nowMs >= orphanTimeMs(view, task);
}

function isDown(view: View, task: StoredTask): boolean {
  return view.nodes.get(task.nodeId)?.status.state === NodeState.DOWN;
}

/** A node that is down is written to when it goes down and not again until it is back. */
function orphanTimeMs(view: View, task: StoredTask): number {
  return (view.nodes.get(task.nodeId)?.meta.updatedAtMs ?? 0) + ORPHAN_AFTER_MS;
}

function end(task: StoredTask, state: TaskState, message: string, nowMs: number): Change {
  const status = { state, timestampMs: nowMs, message, err: "" };
  return updateChange("task", task.id, { status }, { skipIfAbsent: true });
}

function remove(task: StoredTask): Change {
  return removeChange("task", task.id, { skipIfAbsent: true });
}
