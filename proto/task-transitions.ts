import { TaskState } from "./gen/objects.ts";

/** Who may move a task; each move belongs to exactly one of them. */
export type TaskMover = "orchestrator" | "allocator" | "scheduler" | "worker" | "reaper";

/** How far the managers may want a task to go, in the order in which the wish may rise. */
export const DESIRED_STATES: readonly TaskState[] = [
  TaskState.READY,
  TaskState.RUNNING,
  TaskState.SHUTDOWN,
  TaskState.REMOVE,
];

/** A state no task leaves. */
export function isTerminalState(state: TaskState): boolean {
  return state > TaskState.RUNNING;
}

/**
 * Whose it is to move a task's observed state from one to another; undefined when nobody may.
 *
 * A worker may be seen to skip states it has passed: of several statuses only the newest is reported.
 *
 * Source: swarmkit, design/tla/Tasks.tla, Transitions; docs/design/tasks.md has it as a table.
 *
 * @param from undefined: there is no such task yet.
 */
export function moverOf(from: TaskState | undefined, to: TaskState): TaskMover | undefined {
  if (from === undefined) return to === TaskState.NEW ? "orchestrator" : undefined;
  if (from < TaskState.ASSIGNED) return moverBeforeNode(from, to);
  if (isTerminalState(from) || to <= from || !isKnown(to)) return undefined;
  switch (to) {
    case TaskState.ORPHANED:
      return "reaper";
    case TaskState.REMOVE:
      // A wish only.
      return undefined;
    case TaskState.REJECTED:
      // Refused before it was started; one that was started can only fail.
      return from < TaskState.STARTING ? "worker" : undefined;
    default:
      return "worker";
  }
}

/** Whose it is to raise the wish for a task from one to another; undefined when nobody may. */
export function wisherOf(from: TaskState | undefined, to: TaskState): TaskMover | undefined {
  if (!DESIRED_STATES.includes(to)) return undefined;
  if (from === undefined) return to <= TaskState.RUNNING ? "orchestrator" : undefined;
  return DESIRED_STATES.includes(from) && to > from ? "orchestrator" : undefined;
}

function moverBeforeNode(from: TaskState, to: TaskState): TaskMover | undefined {
  if (from === TaskState.NEW && to === TaskState.PENDING) return "allocator";
  if (from === TaskState.PENDING && to === TaskState.ASSIGNED) return "scheduler";
  const isKnownHere = from === TaskState.NEW || from === TaskState.PENDING;
  return isKnownHere && to === TaskState.SHUTDOWN ? "reaper" : undefined;
}

/** A number a newer version may use is no state to us. */
function isKnown(state: TaskState): boolean {
  return Object.values(TaskState).includes(state);
}
