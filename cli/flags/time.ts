import { ClusterError } from "../../core/errors.ts";
import { parseDuration } from "./units.ts";

const NANOS_PER_MS = 1e6;
const SECOND_MS = 1000;

/**
 * A moment, written as a time (2026-01-02T13:23:37Z), as how long ago it was (42m) or as seconds, in seconds since 1970.
 *
 * @throws {ClusterError} `InvalidArgument` when it is none of them.
 */
export function timeSeconds(text: string, nowMs: number): number {
  if (/^\d{9,12}(\.\d+)?$/.test(text)) return Number(text);
  // Before times: JavaScript reads dates into the strangest texts.
  if (/^\d+(\.\d+)?[a-zµ]/.test(text))
    return (nowMs - parseDuration(text) / NANOS_PER_MS) / SECOND_MS;
  const timeMs = Date.parse(text);
  if (!Number.isNaN(timeMs)) return timeMs / SECOND_MS;
  const message = `invalid time '${text}': write it like 10m or 2025-01-31T12:00:00`;
  throw new ClusterError("InvalidArgument", message);
}
