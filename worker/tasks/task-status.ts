import { TaskState, type TaskStatus } from "../../proto/gen/objects.ts";
import { isTerminalState, moverOf } from "../../proto/task-transitions.ts";
import { withoutFiles } from "./task-files.ts";
import type { TaskModel } from "./task-model.ts";

/** Longest `err` and `message` reported; the rest is cut. */
export const STATUS_TEXT_MAX = 1024;

export interface StatusChange {
  readonly state: TaskState;
  readonly message: string;
  readonly err?: string;
}

/** The task with a new status. A state that a worker cannot bring it to from where it is is refused: the old stays. */
export function withStatus(task: TaskModel, change: StatusChange, nowMs: number): TaskModel {
  // What is here was assigned, whatever is known of it yet.
  const from = Math.max(task.status.state, TaskState.ASSIGNED) as TaskState;
  if (change.state !== from && moverOf(from, change.state) !== "worker") return task;
  const status: TaskStatus = {
    state: change.state,
    timestampMs: nowMs,
    message: change.message.slice(0, STATUS_TEXT_MAX),
    err: (change.err ?? "").slice(0, STATUS_TEXT_MAX),
    container: containerStatus(task),
  };
  // A task that is over will not be started: nothing secret stays in memory for it.
  const assignment = isTerminalState(change.state)
    ? withoutFiles(task.assignment)
    : task.assignment;
  return { ...task, assignment, status };
}

function containerStatus(task: TaskModel): TaskStatus["container"] {
  if (task.container === undefined) return task.status.container;
  const { id, pid, exitCode } = task.container;
  return { containerId: id, pid, exitCode };
}
