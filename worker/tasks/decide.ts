import { waitEndMs } from "../../core/wall-wait.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { startTimeMs } from "../../proto/start-time.ts";
import { isTerminalState } from "../../proto/task-transitions.ts";
import { RETRY_MAX_MS } from "./retry-delay.ts";
import { filesState } from "./task-files.ts";
import type { ObservedContainer, TaskEffect, TaskModel } from "./task-model.ts";
import type { StatusChange } from "./task-status.ts";

/** What to do next for a task; at most one of status, effect and forget. */
export interface Decision {
  readonly status?: StatusChange;
  readonly effect?: TaskEffect;
  /** The effect under way is no longer of use. */
  readonly cancel?: true;
  /** Look again at this time, if nothing happens before. */
  readonly wakeAtMs?: number;
  /** Nothing of the task is left here. */
  readonly forget?: true;
}

const NOTHING: Decision = {};

/**
 * The next step towards what is asked of the task, from what is known of it now.
 *
 * Level-triggered: it looks at where things are, never at how they came there, so a wish that changes half-way, a lost
 * event and a restarted daemon need no case of their own.
 * Source: swarmkit, agent/exec/controller.go, func Do (the order of states).
 */
export function decide(task: TaskModel, nowMs: number): Decision {
  const stopping = mustStop(task);
  if (task.busy === "pull" && stopping) return { cancel: true };
  if (task.busy !== undefined) return NOTHING;

  const next = nextStep(task, stopping, nowMs);
  const { retry } = task;
  if (retry === undefined || next.effect?.kind !== retry.effect) return next;
  const untilMs = retry.atMs;
  const atMs = waitEndMs({ sinceMs: untilMs - RETRY_MAX_MS, untilMs }, nowMs);
  return nowMs < atMs ? { wakeAtMs: atMs } : next;
}

function nextStep(task: TaskModel, stopping: boolean, nowMs: number): Decision {
  if (task.container?.state === "running" && stopping) {
    return { effect: { kind: "stopContainer", id: task.container.id } };
  }
  if (task.unwanted) return clear(task) ?? { forget: true };
  if (isTerminalState(task.status.state)) return afterEnd(task);
  if (stopping) return end(task);
  if (task.container !== undefined && task.container.state !== "created") {
    return follow(task, task.container);
  }
  return advance(task, nowMs);
}

function mustStop(task: TaskModel): boolean {
  if (task.unwanted || task.unhealthy || isTerminalState(task.status.state)) return true;
  return task.assignment.task.desiredState > TaskState.RUNNING;
}

/** Removes the container, then the sandbox; undefined when neither is left. */
function clear(task: TaskModel): Decision | undefined {
  if (task.container !== undefined) {
    return { effect: { kind: "removeContainer", id: task.container.id } };
  }
  if (!task.sandboxGone) return { effect: { kind: "removeSandbox" } };
  return undefined;
}

/** A task that ended gives back its network at once; its container stays, for the logs, until the managers forget it. */
function afterEnd(task: TaskModel): Decision {
  if (task.assignment.task.desiredState === TaskState.REMOVE) return clear(task) ?? NOTHING;
  return task.sandboxGone ? NOTHING : { effect: { kind: "removeSandbox" } };
}

/** Its container is not running and should not: say how it ended. */
function end(task: TaskModel): Decision {
  if (task.unhealthy) {
    return { status: { state: TaskState.FAILED, message: "stopped", err: healthText(task) } };
  }
  // Of a task to be removed, "shutdown" promises that nothing of it is left.
  if (task.assignment.task.desiredState === TaskState.REMOVE) {
    return clear(task) ?? { status: { state: TaskState.SHUTDOWN, message: "removed" } };
  }
  return { status: { state: TaskState.SHUTDOWN, message: "shutdown" } };
}

function healthText({ container }: TaskModel): string {
  const output = container?.healthOutput.trim() ?? "";
  return output === "" ? "unhealthy container" : `unhealthy container: ${output}`;
}

/** Its container was started: report how that goes. */
function follow(task: TaskModel, container: ObservedContainer): Decision {
  if (container.state !== "running") return { status: exitStatus(container) };
  // After a restart of the daemon the name server of its sandbox must be served again.
  if (task.sandbox === undefined) return { effect: { kind: "createSandbox" } };
  if (task.status.state === TaskState.RUNNING) return NOTHING;
  if (container.health === "starting") {
    if (task.status.state === TaskState.STARTING) return NOTHING;
    return {
      status: { state: TaskState.STARTING, message: "starting: waiting for its health check" },
    };
  }
  return { status: { state: TaskState.RUNNING, message: "started" } };
}

function exitStatus(container: ObservedContainer): StatusChange {
  if (container.exitCode === 0) return { state: TaskState.COMPLETE, message: "finished" };
  const reason = container.oomKilled ? ": out of memory" : "";
  return {
    state: TaskState.FAILED,
    message: "started",
    err: `task: non-zero exit (${container.exitCode})${reason}`,
  };
}

/** What it reads was removed from the swarm before it could start. */
function withoutFile(state: TaskState, what: string): StatusChange {
  const err = `${what} not found`;
  return state < TaskState.STARTING
    ? { state: TaskState.REJECTED, message: "preparing", err }
    : { state: TaskState.FAILED, message: "starting", err };
}

/** The way from assigned to started. */
function advance(task: TaskModel, nowMs: number): Decision {
  const { state } = task.status;
  const { desiredState } = task.assignment.task;
  if (state >= TaskState.STARTING && task.container === undefined) {
    return {
      status: { state: TaskState.FAILED, message: "started", err: "its container is gone" },
    };
  }
  if (state < TaskState.ACCEPTED) {
    return { status: { state: TaskState.ACCEPTED, message: "accepted" } };
  }
  if (state < TaskState.PREPARING) {
    return { status: { state: TaskState.PREPARING, message: "preparing" } };
  }
  const files = filesState(task.assignment);
  if (files.kind === "awaited") return NOTHING;
  if (files.kind === "gone") return { status: withoutFile(state, files.what) };
  if (task.container === undefined && !task.imagePresent) return { effect: { kind: "pull" } };
  if (task.sandbox === undefined) return { effect: { kind: "createSandbox" } };
  if (task.container === undefined) return { effect: { kind: "createContainer" } };
  if (state < TaskState.READY) return { status: { state: TaskState.READY, message: "prepared" } };
  if (desiredState < TaskState.RUNNING) return NOTHING;
  const startMs = startTimeMs(task.assignment.task, nowMs);
  if (nowMs < startMs) return { wakeAtMs: startMs };
  if (state < TaskState.STARTING) {
    return { status: { state: TaskState.STARTING, message: "starting" } };
  }
  return { effect: { kind: "startContainer", id: task.container.id } };
}
