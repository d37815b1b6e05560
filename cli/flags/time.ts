import { parseDuration } from "./units.ts";

const NANOS_PER_MS = 1e6;
const SECOND_MS = 1000;

/**
 * A moment, written as a time (2026-01-02T13:23:37Z) or as how long ago it was (42m), in seconds since 1970.
 *
 * @throws {ClusterError} `InvalidArgument` when it is neither.
 */
export function timeSeconds(text: string, nowMs: number): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time / SECOND_MS;
  return (nowMs - parseDuration(text) / NANOS_PER_MS) / SECOND_MS;
}
