const POLL_MS = 5;

/**
 * Waits until `condition` holds, looking every few milliseconds.
 *
 * @param pollMs longer where looking costs those who are looked at.
 * @throws {Error} naming `what` when it does not hold within `timeoutMs`.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 8000,
  pollMs = POLL_MS,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
