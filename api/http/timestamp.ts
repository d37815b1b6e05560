import { ClusterError } from "../../core/errors.ts";

const NS_PER_S = 1_000_000_000n;
const NS_DIGITS = 9;
/** As many digits of seconds as fit into an int64 of nanoseconds. */
const TIMESTAMP = /^(\d{1,10})(?:\.(\d{1,9})\d*)?$/;

/**
 * Reads a query parameter's seconds since 1970 with up to nine digits behind the point, as nanoseconds; undefined: none.
 *
 * @throws {ClusterError} `InvalidArgument`.
 */
export function readTimestampNs(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  const [, seconds, fraction = ""] = TIMESTAMP.exec(text) ?? [];
  if (seconds === undefined) {
    const message = `invalid ${name} '${text}': must be seconds since 1970, as 1700000000.5`;
    throw new ClusterError("InvalidArgument", message);
  }
  return BigInt(seconds) * NS_PER_S + BigInt(fraction.padEnd(NS_DIGITS, "0"));
}
