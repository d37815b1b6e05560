import type { StatusUpdate, TaskStatusEntry } from "../../proto/gen/dispatcher.ts";
import type { ContainerStatus, TaskStatus } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { moverOf } from "../../proto/task-transitions.ts";
import { updateChange } from "../store/changes.ts";
import type { View } from "../store/tables.ts";

/** Longest `err` and `message` stored; workers cut them, and are not trusted to. */
export const STATUS_TEXT_MAX = 1024;
const CONTAINER_ID_CHARS_MAX = 64;

/**
 * What a worker's report changes in the store. What is not about its own tasks, or claims a state that a worker cannot
 * bring this task to, is left out; so is what the store knows already.
 */
export function statusChanges(view: View, nodeId: string, update: StatusUpdate): Change[] {
  const changes: Change[] = [];
  for (const { taskId, status } of update.statuses) {
    const task = view.tasks.get(taskId);
    if (task === undefined || task.nodeId !== nodeId || status === undefined) continue;
    if (!isNews(task.status, status)) continue;
    changes.push(updateChange("task", taskId, { status: bounded(status) }, { skipIfAbsent: true }));
  }
  return changes;
}

/** How many of the statuses are about tasks of other nodes: a worker knows of none. */
export function countForeign(view: View, nodeId: string, { statuses }: StatusUpdate): number {
  const owner = ({ taskId }: TaskStatusEntry) => view.tasks.get(taskId)?.nodeId ?? nodeId;
  return statuses.filter((entry) => owner(entry) !== nodeId).length;
}

/** A higher state, or more about the one there is. */
function isNews(old: TaskStatus, next: TaskStatus): boolean {
  if (next.state !== old.state) return moverOf(old.state, next.state) === "worker";
  return next.timestampMs > old.timestampMs;
}

function boundedContainer({ containerId, pid, exitCode }: ContainerStatus): ContainerStatus {
  return { containerId: containerId.slice(0, CONTAINER_ID_CHARS_MAX), pid, exitCode };
}

function bounded(status: TaskStatus): TaskStatus {
  return {
    state: status.state,
    timestampMs: status.timestampMs,
    message: plain(status.message),
    err: plain(status.err),
    container: status.container && boundedContainer(status.container),
  };
}

/** People read it on terminals: what would command those is made visible. */
function plain(text: string): string {
  const isLayout = (char: string) => char === "\n" || char === "\t";
  return text
    .slice(0, STATUS_TEXT_MAX)
    .replace(/\p{Cc}/gu, (char) => (isLayout(char) ? char : "\ufffd"));
}
