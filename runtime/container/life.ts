import { assert } from "../../core/assert.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { NO_HEALTH, STARTING_HEALTH } from "../health/health.ts";
import type { ProcessRef } from "../linux/process.ts";
import type { ContainerStatus } from "./record.ts";
import type { HealthStatus } from "./types.ts";

/**
 * The life of a container: created → running → exited, and from exited or created to running again.
 *
 * `state = running ⇔ process ≠ undefined`; `dead` is one whose removal failed half-way.
 */

/** The exit code of a container of which nobody knows how it ended: the machine or its conmon died. Docker's choice. */
export const UNKNOWN_EXIT_CODE = 255;

/** Of a container that could not be started, when neither the reason nor its last run gives another. Source: moby, daemon/start.go. */
const START_FAILED_EXIT_CODE = 128;

/** How a run ended. */
export interface Ending {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Empty unless it ended in a way that needs explaining. */
  readonly error: string;
  readonly finishedAtMs: number;
}

/** A container that was never started. */
export const CREATED: ContainerStatus = {
  state: "created",
  paused: false,
  stoppedByUser: false,
  restarting: false,
  restartCount: 0,
  process: undefined,
  exitCode: 0,
  oomKilled: false,
  error: "",
  startedAtMs: 0,
  finishedAtMs: 0,
  health: NO_HEALTH,
};

/** Its process runs. */
export function afterStart(
  status: ContainerStatus,
  run: {
    readonly process: ProcessRef;
    readonly startedAtMs: number;
    readonly hasHealthCheck: boolean;
    /** Its restart policy started it. */
    readonly byPolicy: boolean;
  },
): ContainerStatus {
  assert(status.state === "created" || status.state === "exited", `start while ${status.state}`);
  return {
    ...CREATED,
    state: "running",
    restartCount: run.byPolicy ? status.restartCount + 1 : 0,
    process: run.process,
    startedAtMs: run.startedAtMs,
    // Of its last run, as Docker tells it.
    finishedAtMs: status.finishedAtMs,
    health: run.hasHealthCheck ? { ...STARTING_HEALTH, log: status.health.log } : NO_HEALTH,
  };
}

/** It could not be started; it stays what it was, with the reason. */
export function afterFailedStart(status: ContainerStatus, error: unknown): ContainerStatus {
  assert(status.state !== "running", "a start failed of a container that runs");
  const own = error instanceof ClusterError ? error.details.exitCode : undefined;
  const exitCode = typeof own === "number" ? own : status.exitCode || START_FAILED_EXIT_CODE;
  return { ...status, restarting: false, exitCode, error: errorMessage(error) };
}

/** Its process has ended; `restarting`: its restart policy will start it again. */
export function afterExit(
  status: ContainerStatus,
  ending: Ending,
  restarting: boolean,
): ContainerStatus {
  assert(status.state === "running", `exit while ${status.state}`);
  const { health } = status;
  return {
    ...status,
    ...ending,
    state: "exited",
    paused: false,
    process: undefined,
    restarting,
    // Nobody looks any more, and what has ended serves nobody. Source: moby, container/health.go, CloseMonitorChannel.
    health: health.state === "none" ? health : { ...health, state: "unhealthy" },
  };
}

/** Its processes were frozen or let go on. */
export function afterPause(status: ContainerStatus, paused: boolean): ContainerStatus {
  assert(status.state === "running", `pause while ${status.state}`);
  return { ...status, paused };
}

/** Somebody wants it to end, and to stay so. */
export function afterStopRequest(status: ContainerStatus): ContainerStatus {
  return { ...status, stoppedByUser: true, restarting: false };
}

/** A check told something new. */
export function afterHealth(status: ContainerStatus, health: HealthStatus): ContainerStatus {
  assert(status.state === "running", `health while ${status.state}`);
  return { ...status, health };
}

/** Its removal failed half-way: it can only be removed again. */
export function afterFailedRemoval(status: ContainerStatus, error: string): ContainerStatus {
  return { ...status, state: "dead", paused: false, restarting: false, process: undefined, error };
}
