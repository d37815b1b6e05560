import { type Task, TaskState, type TaskStatus } from "../../proto/gen/objects.ts";
import { moverOf } from "../../proto/task-transitions.ts";
import type { StoredTask } from "./objects.ts";

/**
 * What a task becomes when a writer asks for `next`. Tasks only rise, so that two writers who each knew half cannot
 * undo each other, whatever their order:
 * - desired state: the higher;
 * - status: the higher state, if a task may go there from where it is (proto/task-transitions.ts); of one state the one
 *   with the later timestamp. Anything else lost a race and is ignored: it must not take the rest of its transaction along;
 * - node: chosen once;
 * - addresses: chosen once, while the task is NEW;
 * - everything else is fixed at creation.
 *
 * @returns `old` itself when nothing changes.
 */
export function mergeTask(old: StoredTask, next: Task, nowMs: number): StoredTask {
  const rises = next.desiredState > old.desiredState;
  const desiredState = rises ? next.desiredState : old.desiredState;
  const status = mergeStatus(old.status, next.status, nowMs);
  const nodeId = old.nodeId === "" ? next.nodeId : old.nodeId;
  const networks = old.status.state === TaskState.NEW ? next.networks : old.networks;
  if (
    desiredState === old.desiredState &&
    status === old.status &&
    nodeId === old.nodeId &&
    networks === old.networks
  ) {
    return old;
  }
  return { ...old, desiredState, status, nodeId, networks };
}

/** The status of a new task: what its creator says, with the manager's own clock. */
export function firstStatus(status: TaskStatus | undefined, nowMs: number): TaskStatus {
  const {
    state = TaskState.NEW,
    timestampMs = nowMs,
    message = "created",
    err = "",
  } = status ?? {};
  return { state, timestampMs, message, err, appliedAtMs: nowMs };
}

function mergeStatus(old: TaskStatus, next: TaskStatus | undefined, nowMs: number): TaskStatus {
  if (next === undefined || next.state < old.state) return old;
  const rises = next.state > old.state;
  if (rises && moverOf(old.state, next.state) === undefined) return old;
  if (!rises && (next.timestampMs < old.timestampMs || sameStatus(old, next))) return old;
  return {
    state: next.state,
    timestampMs: next.timestampMs,
    message: next.message,
    err: next.err,
    container: next.container ?? old.container,
    appliedAtMs: rises ? nowMs : old.appliedAtMs,
    runningAtMs: rises && next.state === TaskState.RUNNING ? nowMs : old.runningAtMs,
  };
}

function sameStatus(a: TaskStatus, b: TaskStatus): boolean {
  return (
    a.timestampMs === b.timestampMs &&
    a.message === b.message &&
    a.err === b.err &&
    (b.container === undefined ||
      (a.container?.containerId === b.container.containerId &&
        a.container.pid === b.container.pid &&
        a.container.exitCode === b.container.exitCode))
  );
}
