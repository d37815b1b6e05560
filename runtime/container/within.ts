import type { Clock } from "../../core/clock.ts";

/** Waits for `event`, but no longer than `limitMs`: whether it came in time. */
export async function within(
  event: Promise<unknown>,
  limitMs: number,
  clock: Clock,
): Promise<boolean> {
  let cancel = () => {};
  const timeout = new Promise<false>((resolve) => {
    cancel = clock.after(limitMs, () => resolve(false));
  });
  try {
    return await Promise.race([event.then(() => true as const), timeout]);
  } finally {
    cancel();
  }
}
