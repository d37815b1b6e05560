import type { StatusUpdate } from "../../proto/gen/dispatcher.ts";
import { TaskState, type TaskStatus } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { updateChange } from "../store/changes.ts";
import type { View } from "../store/tables.ts";

/** Longest `err` and `message` stored; workers cut them, and are not trusted to. */
export const STATUS_TEXT_MAX = 1024;

/**
 * What a worker's report changes in the store. What is not about its own tasks, or claims a state that is not a worker's to
 * claim, is left out; so is what the store knows already.
 */
export function statusChanges(view: View, nodeId: string, update: StatusUpdate): Change[] {
  const changes: Change[] = [];
  for (const { taskId, status } of update.statuses) {
    const task = view.tasks.get(taskId);
    if (task === undefined || task.nodeId !== nodeId || status === undefined) continue;
    if (!isWorkersState(status.state) || !isNews(task.status, status)) continue;
    changes.push(updateChange("task", taskId, { status: bounded(status) }, { skipIfAbsent: true }));
  }
  return changes;
}

/** Tasks whose node will not say any more how they ended; the store frees what they hold. */
export function orphanChanges(view: View, nodeId: string, nowMs: number): Change[] {
  const changes: Change[] = [];
  for (const { id, status } of view.tasks.ofNode(nodeId)) {
    if (status.state < TaskState.ASSIGNED || status.state > TaskState.RUNNING) continue;
    const orphaned = {
      ...status,
      state: TaskState.ORPHANED,
      timestampMs: nowMs,
      message: "its node was down for too long",
    };
    changes.push(updateChange("task", id, { status: orphaned }, { skipIfAbsent: true }));
  }
  return changes;
}

function isWorkersState(state: TaskState): boolean {
  return state >= TaskState.ACCEPTED && state <= TaskState.REJECTED;
}

function isNews(old: TaskStatus, next: TaskStatus): boolean {
  if (next.state !== old.state) return next.state > old.state;
  return next.timestampMs > old.timestampMs;
}

function bounded(status: TaskStatus): TaskStatus {
  return {
    state: status.state,
    timestampMs: status.timestampMs,
    message: status.message.slice(0, STATUS_TEXT_MAX),
    err: status.err.slice(0, STATUS_TEXT_MAX),
    container: status.container,
  };
}
