import { unreachable } from "../../core/assert.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { isTerminalState } from "../../proto/task-transitions.ts";
import { describeDelay, retryDelayMs } from "./retry-delay.ts";
import type { EffectFailure, EffectResult, TaskEvent } from "./task-event.ts";
import { withoutFiles } from "./task-files.ts";
import type { AssignedTask, ObservedContainer, TaskModel } from "./task-model.ts";
import { withStatus } from "./task-status.ts";

/** Tries of one preparing step that answers "not now"; past it the task is rejected, so that another node may try. */
export const PREPARE_TRIES_MAX = 8;

/** The task after `event`: only what is now known, nothing about what to do. */
export function observe(task: TaskModel, event: TaskEvent, nowMs: number): TaskModel {
  switch (event.kind) {
    case "assigned":
      return observeAssigned(task, event.assignment);
    case "unwanted":
      return { ...task, unwanted: true, retry: undefined };
    case "container":
      return observeContainer(task, event.container);
    case "containerGone":
      return { ...task, container: undefined };
    case "done":
      return observeResult({ ...task, busy: undefined, retry: undefined }, event.result);
    case "failed":
      return observeFailure({ ...task, busy: undefined }, event.failure, nowMs);
    case "wake":
      return task;
    default:
      return unreachable(event);
  }
}

/** Managers who have it further than we do are right: its files were lost here, or they have given it up. */
function observeAssigned(task: TaskModel, assignment: AssignedTask): TaskModel {
  const { status } = assignment.task;
  const isAhead = status !== undefined && status.state > task.status.state;
  const known = isAhead ? { ...task, status } : task;
  const isOver = isTerminalState(known.status.state);
  const needed = isOver ? withoutFiles(assignment) : assignment;
  return { ...known, assignment: needed, unwanted: false, retry: undefined };
}

function observeContainer(task: TaskModel, container: ObservedContainer): TaskModel {
  const isToRun = !task.unwanted && task.assignment.task.desiredState <= TaskState.RUNNING;
  const unhealthy = isToRun && container.state === "running" && container.health === "unhealthy";
  // Once said it stands, whatever the check says of a container being stopped.
  return { ...task, container, unhealthy: task.unhealthy || unhealthy };
}

function observeResult(task: TaskModel, result: EffectResult): TaskModel {
  switch (result.effect) {
    case "pull":
      return { ...task, imagePresent: true };
    case "createSandbox":
      return { ...task, sandbox: result.sandbox };
    case "createContainer":
    case "startContainer":
    case "stopContainer":
      return observeContainer(task, result.container);
    case "removeContainer":
      return { ...task, container: undefined };
    case "removeSandbox":
      return { ...task, sandbox: undefined, sandboxGone: true };
    default:
      return unreachable(result);
  }
}

function observeFailure(task: TaskModel, failure: EffectFailure, nowMs: number): TaskModel {
  switch (failure.effect) {
    case "pull":
    case "createContainer":
      return observePrepareFailure(task, failure, nowMs);
    case "createSandbox":
      // The container of a former daemon runs on whatever happens to its name server: keep trying.
      if (task.container?.state === "running") return retried(task, failure, nowMs);
      return observePrepareFailure(task, failure, nowMs);
    case "startContainer":
      return withStatus(
        task,
        { state: TaskState.FAILED, message: "starting", err: failure.message },
        nowMs,
      );
    case "stopContainer":
    case "removeContainer":
      if (failure.code === "NotFound") return { ...task, container: undefined, retry: undefined };
      return retried(task, failure, nowMs);
    case "removeSandbox":
      return retried(task, failure, nowMs);
    default:
      return unreachable(failure.effect);
  }
}

function observePrepareFailure(task: TaskModel, failure: EffectFailure, nowMs: number): TaskModel {
  // We cancelled it ourselves.
  if (failure.code === "Cancelled") return task;
  const mayPass = failure.code === "Unavailable" || failure.code === "DeadlineExceeded";
  if (mayPass && failuresBefore(task, failure) + 1 < PREPARE_TRIES_MAX)
    return retried(task, failure, nowMs);
  const started = task.status.state >= TaskState.STARTING;
  return withStatus(
    task,
    {
      state: started ? TaskState.FAILED : TaskState.REJECTED,
      message: started ? "started" : "preparing",
      err: failure.message,
    },
    nowMs,
  );
}

/** Notes when to try again, and says so where people look: in the task's status. */
function retried(task: TaskModel, failure: EffectFailure, nowMs: number): TaskModel {
  const count = failuresBefore(task, failure);
  const delayMs = retryDelayMs(count, failure.jitter);
  const retry = { effect: failure.effect, count: count + 1, atMs: nowMs + delayMs };
  const waiting = { ...task, retry };
  if (isTerminalState(task.status.state)) return waiting;
  return withStatus(
    waiting,
    {
      state: task.status.state,
      message: `trying again in ${describeDelay(delayMs)}`,
      err: failure.message,
    },
    nowMs,
  );
}

function failuresBefore(task: TaskModel, failure: EffectFailure): number {
  return task.retry?.effect === failure.effect ? task.retry.count : 0;
}
