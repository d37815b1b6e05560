import { ClusterError } from "../../core/errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const DURATION = /^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/;
const DURATION_PART = /(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g;
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
  if (DURATION.test(text)) return nowMs - durationMs(text);
  const dateMs = DATE.test(text) ? Date.parse(completed(text)) : Number.NaN;
  if (Number.isFinite(dateMs)) return dateMs;
  const message = `invalid time '${text}': give a duration as 24h, a date as 2025-01-31T12:00:00, or seconds since 1970`;
  throw new ClusterError("InvalidArgument", message);
}

function durationMs(text: string): number {
  const parts = [...text.matchAll(DURATION_PART)];
  return parts.reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** Without a zone it is this machine's, except that JavaScript takes a bare date for UTC's. */
function completed(text: string): string {
  if (/T\d{2}(?=Z|[+-]|$)/.test(text)) return text.replace(/T(\d{2})/, "T$1:00");
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? `${text}T00:00`
    : text.replace(/^(\d{4}-\d{2}-\d{2})(?=[Z+-])/, "$1T00:00");
}
