/** Wall clocks of nodes differ by less than this, or one of them is wrong. */
export const CLOCK_SKEW_MAX_MS = 10_000;

/**
 * When a wait is over that began at `sinceMs` and is to last until `untilMs`, by a clock that shows `nowMs`.
 *
 * A clock that shows a time long before the wait began is not the one its times were taken from: one of the two was wrong
 * then or is now. What of the wait is left nobody knows, and the difference may be hours or years: it is over.
 */
export function waitEndMs(
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
  nowMs: number,
): number {
  return nowMs < sinceMs - CLOCK_SKEW_MAX_MS ? nowMs : untilMs;
}
