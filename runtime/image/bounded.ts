import { ClusterError } from "../../core/errors.ts";

/**
 * Does `work` for every item, at most `limit` at a time, in their order.
 *
 * After a failure no more is begun, what runs is told by its signal, and this rejects with that failure when all has ended:
 * nothing goes on behind the caller's back.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const failures: unknown[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (both.aborted) return;
      try {
        await work(item, both);
      } catch (error) {
        failures.push(error);
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  if (signal?.aborted) throw new ClusterError("Cancelled", "cancelled by the caller");
}
