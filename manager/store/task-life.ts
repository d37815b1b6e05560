import { NodeState, type Task, TaskState } from "../../proto/gen/objects.ts";
import type { StoredTask } from "./objects.ts";
import type { View } from "./tables.ts";

// The few questions every control loop asks of a task.

/** Whether it is to run (or to be ready to): it fills its slot. */
export function isWanted(task: Pick<Task, "desiredState">): boolean {
  return task.desiredState <= TaskState.RUNNING;
}

/** Whether it will never run again. */
export function isEnded(task: Pick<StoredTask, "status">): boolean {
  return task.status.state > TaskState.RUNNING;
}

/** Whether a worker may have something of it: assigned and not confirmed ended. */
export function isHeld(task: Pick<StoredTask, "status">): boolean {
  return task.status.state >= TaskState.ASSIGNED && !isEnded(task);
}

/** Whether its node is gone or silent, so that nobody knows what it does. */
export function isLost(view: View, task: Pick<Task, "nodeId">): boolean {
  if (task.nodeId === "") return false;
  const node = view.nodes.get(task.nodeId);
  return node === undefined || node.status.state === NodeState.DOWN;
}
