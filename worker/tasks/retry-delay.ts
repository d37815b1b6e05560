/** The first wait after a failure that may pass. */
export const RETRY_FIRST_MS = 1_000;
/** No wait is longer than this, jitter aside. */
export const RETRY_MAX_MS = 30_000;

/**
 * How long to wait after the failure number `count` (from 0): doubling, up to RETRY_MAX_MS, a quarter of it by chance.
 *
 * @param jitter in [0, 1).
 */
export function retryDelayMs(count: number, jitter: number): number {
  const full = Math.min(RETRY_FIRST_MS * 2 ** count, RETRY_MAX_MS);
  return Math.round(full * (0.75 + jitter / 4));
}

/** For people: "1.5 s". */
export function describeDelay(delayMs: number): string {
  return `${Math.round(delayMs / 100) / 10} s`;
}
