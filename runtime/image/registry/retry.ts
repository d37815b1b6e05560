import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "../../../core/errors.ts";
import { isTransient } from "./registry-errors.ts";

/** Of one request or blob, the first included. */
export const ATTEMPTS_MAX = 5;
const FIRST_DELAY_MS = 200;
const DELAY_MAX_MS = 3000;

/** How long to wait after attempt `attempt` (from 1) failed. */
export function retryDelayMs(attempt: number): number {
  return Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
}

/**
 * Does `work`, again and later while it fails with Unavailable, at most ATTEMPTS_MAX times.
 *
 * @throws the last failure; {ClusterError} Cancelled.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || attempt >= ATTEMPTS_MAX) throw error;
    }
    await pause(retryDelayMs(attempt), signal);
  }
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new ClusterError("Cancelled", "talking to the registry was cancelled", { cause });
  }
}
