import { durationNs } from "../../core/duration.ts";
import { ClusterError } from "../../core/errors.ts";

const NS_PER_MS = 1e6;
const SECONDS = /^\d{1,12}(?:\.\d+)?$/;
/** RFC 3339 with what Docker lets people leave out: seconds, minutes, the time, the zone. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)?(?:Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads what people give as a time to filter by: a duration before now (`24h`), a date (`2025-01-31T12:00:00`), or seconds
 * since 1970. In milliseconds since 1970.
 *
 * @throws {ClusterError} `InvalidArgument`.
 * Source: moby, daemon/internal/timestamp.
 */
export function parseMomentMs(text: string, nowMs: number): number {
  if (SECONDS.test(text)) return Number(text) * 1000;
  const agoNs = durationNs(text);
  if (agoNs !== undefined) return nowMs - agoNs / NS_PER_MS;
  const dateMs = DATE.test(text) ? Date.parse(completed(text)) : Number.NaN;
  if (Number.isFinite(dateMs)) return dateMs;
  const message = `invalid time '${text}': give a duration as 24h, a date as 2025-01-31T12:00:00, or seconds since 1970`;
  throw new ClusterError("InvalidArgument", message);
}

/** Without a zone it is this machine's, except that JavaScript takes a bare date for UTC's. */
function completed(text: string): string {
  if (/T\d{2}(?=Z|[+-]|$)/.test(text)) return text.replace(/T(\d{2})/, "T$1:00");
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? `${text}T00:00`
    : text.replace(/^(\d{4}-\d{2}-\d{2})(?=[Z+-])/, "$1T00:00");
}
