import { describeDuration } from "../../core/duration.ts";
import type { HealthStatus } from "../container/types.ts";
import type { HealthPlan } from "./health-plan.ts";

/** How many results are kept. Source: moby, daemon/health.go. */
export const HEALTH_LOG_MAX = 5;
/** What is kept of a check's output. */
export const HEALTH_OUTPUT_BYTES_MAX = 4096;

/** What one check found. */
export type CheckResult = HealthStatus["log"][number];

/** A container without health check. */
export const NO_HEALTH: HealthStatus = { state: "none", failingStreak: 0, log: [] };
/** A container just started: not known yet. */
export const STARTING_HEALTH: HealthStatus = { state: "starting", failingStreak: 0, log: [] };

/**
 * The health after one more check.
 *
 * One success makes healthy; `plan.retries` failures in a row make unhealthy. A failure while starting, in the start
 * period, is written down and does not count.
 */
export function afterCheck(
  health: HealthStatus,
  plan: HealthPlan,
  startedAtMs: number,
  result: CheckResult,
): HealthStatus {
  const log = [...health.log, result].slice(-HEALTH_LOG_MAX);
  if (result.exitCode === 0) return { state: "healthy", failingStreak: 0, log };

  const forgiven = health.state === "starting" && result.startMs - startedAtMs < plan.startPeriodMs;
  if (forgiven) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  const state = failingStreak >= plan.retries ? "unhealthy" : health.state;
  return { state, failingStreak, log };
}

/** How long to wait from the end of one check, or the start, to the next check. */
export function nextCheckDelayMs(
  health: HealthStatus,
  plan: HealthPlan,
  startedAtMs: number,
  nowMs: number,
): number {
  const starting = health.state === "starting" && nowMs - startedAtMs < plan.startPeriodMs;
  return starting ? plan.startIntervalMs : plan.intervalMs;
}

/** What a check that took too long is written down as. Docker's words. */
export function timeoutOutput(timeoutMs: number): string {
  return `Health check exceeded timeout (${describeDuration(timeoutMs)})`;
}
