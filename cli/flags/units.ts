import { durationNs } from "../../core/duration.ts";
import { ClusterError } from "../../core/errors.ts";

/** A Go duration, "1h30m", in nanoseconds. @throws {ClusterError} `InvalidArgument`. Source: Go, time.ParseDuration. */
export function parseDuration(text: string): number {
  const ns = text === "0" ? 0 : durationNs(text);
  if (ns !== undefined) return withinBounds(Math.round(ns), text);
  throw new ClusterError(
    "InvalidArgument",
    `invalid duration '${text}': write it like 10s, 1m30s or 500ms`,
  );
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
  if (!/^(\d+(\.\d{0,9})?|\.\d{1,9})$/.test(text)) {
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
