import { ClusterError } from "../../core/errors.ts";

const NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A Go duration, "1h30m", in nanoseconds. @throws {ClusterError} `InvalidArgument`. Source: Go, time.ParseDuration. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new ClusterError(
      "InvalidArgument",
      `invalid duration '${text}': write it like 10s, 1m30s or 500ms`,
    );
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  const total = [...parts].reduce(
    (sum, [, amount, unit = "s"]) => sum + Number(amount) * (NS[unit] ?? 0),
    0,
  );
  return withinBounds(Math.round(total), text);
}

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** "512m", "1.5g", "64KiB" in bytes; powers of 1024. @throws {ClusterError} `InvalidArgument`. Source: go-units, RAMInBytes. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null)
    throw new ClusterError("InvalidArgument", `invalid size '${text}': write it like 64m or 1.5g`);
  return withinBounds(
    Math.floor(Number(match[1]) * (BYTES[(match[2] ?? "").toLowerCase()] ?? 1)),
    text,
  );
}

/** "0.5" CPUs in billionths. @throws {ClusterError} `InvalidArgument`. */
export function parseCpus(text: string): number {
  if (!/^\d+(\.\d{1,9})?$/.test(text)) {
    throw new ClusterError(
      "InvalidArgument",
      `invalid number of CPUs '${text}': write it like 2 or 0.5`,
    );
  }
  return withinBounds(Math.round(Number(text) * 1e9), text);
}

/** A whole number of 0 or more. @throws {ClusterError} `InvalidArgument` naming the flag. */
export function parseCount(name: string, text: string): number {
  if (/^\d+$/.test(text)) return withinBounds(Number(text), text);
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${name} '${text}': must be a whole number of 0 or more`,
  );
}

export function parseFraction(name: string, text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value <= 1) return value;
  throw new ClusterError("InvalidArgument", `invalid ${name} '${text}': must be between 0 and 1`);
}

function withinBounds(value: number, text: string): number {
  if (Number.isSafeInteger(value)) return value;
  throw new ClusterError("InvalidArgument", `invalid number '${text}': too large`);
}
