import { ClusterError } from "../../../core/errors.ts";

/** Refuses what a user asked for; the text is one Docker's clients show as it is. */
export function refuse(message: string): never {
  throw new ClusterError("InvalidArgument", message);
}

/** @throws {ClusterError} `InvalidArgument` unless `value` is a whole number from `min` to `max`. */
export function checkCount(
  what: string,
  value: number,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): void {
  if (!Number.isSafeInteger(value)) refuse(`${what} must be a whole number, not ${value}`);
  if (value < 0 && min === 0) refuse(`${what} must be non-negative`);
  if (value < min) refuse(`${what} must be at least ${min}`);
  if (value > max) refuse(`${what} must be at most ${max}`);
}

/**
 * A newer version may send a value that this one does not know. To store it would be to take it for something else.
 *
 * @throws {ClusterError} `InvalidArgument` unless `value` is one of `known`.
 */
export function checkKnown(
  what: string,
  value: number,
  known: Readonly<Record<string, number>>,
): void {
  if (!Object.values(known).includes(value)) refuse(`${what}: unknown value ${value}`);
}

/** About ten years, in nanoseconds: no duration in a spec makes sense past it, and sums of a few stay exact enough. */
export const DURATION_NS_MAX = 10 * 365 * 24 * 3600 * 1e9;

/** @throws {ClusterError} `InvalidArgument` for a duration below 0 or past DURATION_NS_MAX; absent is well. */
export function checkDuration(what: string, durationNs: number | undefined): void {
  if (durationNs === undefined) return;
  if (Number.isNaN(durationNs) || durationNs < 0) refuse(`${what} cannot be negative`);
  if (durationNs > DURATION_NS_MAX) refuse(`${what} cannot be longer than ten years`);
}

/** Labels of one object at most. */
const LABELS_MAX = 1_000;
/** Bytes of all labels of one object at most. */
export const LABELS_BYTES_MAX = 256 * 1024;

/** @throws {ClusterError} `InvalidArgument` for keys that are empty or that objects of JavaScript cannot hold. */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const keys = Object.keys(labels);
  if (keys.length > LABELS_MAX) refuse(`at most ${LABELS_MAX} labels may be set`);
  const bytes = keys.reduce((sum, key) => sum + Buffer.byteLength(`${key}${labels[key]}`), 0);
  if (bytes > LABELS_BYTES_MAX) {
    refuse(`the labels have ${bytes} bytes, at most ${LABELS_BYTES_MAX} can be stored`);
  }
  for (const key of keys) {
    if (key.trim() === "") refuse("a label must have a name");
    if (key === "__proto__") refuse("the label name __proto__ is reserved");
    checkText(`the label ${key}`, `${key}=${labels[key]}`);
  }
}

/** @throws {ClusterError} `InvalidArgument` when `text` holds a NUL: what comes after it would silently be lost. */
export function checkText(what: string, text: string): void {
  if (text.includes("\0")) refuse(`${what} must not contain a NUL character`);
}

/** The first value that occurs twice. */
export function findDuplicate(values: Iterable<string>): string | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) return value;
    seen.add(value);
  }
  return undefined;
}
