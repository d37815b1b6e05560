import {
  type RestartPolicy,
  RestartPolicy_Condition,
  type RestartRecord,
  TaskState,
} from "../../proto/gen/objects.ts";
import type { StoredTask } from "../store/objects.ts";

/** Docker's delay between the end of a task and the start of its replacement. */
export const RESTART_DELAY_DEFAULT_MS = 5_000;
/** A task that failed after running for less than this failed quickly. */
export const QUICK_RUN_MS = 30_000;
/** From the second quick failure in a row, the delay doubles from at least this … */
export const BACKOFF_MIN_MS = 1_000;
/** … up to this, or the policy's own delay if that is longer. */
export const BACKOFF_MAX_MS = 5 * 60_000;

/** When and as what an ended task is replaced. */
export interface Restart {
  readonly startAfterMs: number;
  readonly record: RestartRecord;
}

/**
 * Whether a task that ended by itself is replaced, and when.
 *
 * Attempts are counted in windows that begin with the first restart after the last window's end; without a window,
 * since the task's revision came to its slot.
 *
 * @returns undefined when the policy says no.
 * Source: swarmkit, manager/orchestrator/restart; the back-off is ours.
 */
export function planRestart(
  policy: RestartPolicy | undefined,
  task: StoredTask,
  nowMs: number,
): Restart | undefined {
  const succeeded = task.status.state === TaskState.COMPLETE;
  const condition = policy?.condition ?? RestartPolicy_Condition.UNSPECIFIED;
  if (condition === RestartPolicy_Condition.NONE) return undefined;
  if (condition === RestartPolicy_Condition.ON_FAILURE && succeeded) return undefined;

  const window = currentWindow(policy, task.restarts, nowMs);
  const maxAttempts = policy?.maxAttempts ?? 0;
  if (maxAttempts > 0 && window.attempts >= maxAttempts) return undefined;

  const quick = !succeeded && ranMs(task) < QUICK_RUN_MS;
  const quickFailures = quick ? (task.restarts?.quickFailures ?? 0) + 1 : 0;
  return {
    startAfterMs: nowMs + delayMs(policy, quickFailures),
    record: { attempts: window.attempts + 1, windowStartMs: window.startMs, quickFailures },
  };
}

function currentWindow(
  policy: RestartPolicy | undefined,
  record: RestartRecord | undefined,
  nowMs: number,
): { readonly attempts: number; readonly startMs: number } {
  if (record === undefined) return { attempts: 0, startMs: nowMs };
  const windowMs = (policy?.windowNs ?? 0) / 1e6;
  const over = windowMs > 0 && nowMs - record.windowStartMs > windowMs;
  return over
    ? { attempts: 0, startMs: nowMs }
    : { attempts: record.attempts, startMs: record.windowStartMs };
}

function delayMs(policy: RestartPolicy | undefined, quickFailures: number): number {
  const delay = policy?.delayNs === undefined ? RESTART_DELAY_DEFAULT_MS : policy.delayNs / 1e6;
  if (quickFailures < 2) return delay;
  const backoff = Math.max(delay, BACKOFF_MIN_MS) * 2 ** (quickFailures - 1);
  return Math.min(backoff, Math.max(delay, BACKOFF_MAX_MS));
}

function ranMs({ status }: StoredTask): number {
  if (status.runningAtMs === undefined || status.appliedAtMs === undefined) return 0;
  return status.appliedAtMs - status.runningAtMs;
}
