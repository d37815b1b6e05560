import { ClusterError } from "../../core/errors.ts";

/** Documents from registries and archives are read field by field: nothing of them is trusted to have its type. */

/** A JSON object whose fields are not yet known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws {ClusterError} InvalidArgument when it is not a JSON object. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ClusterError("InvalidArgument", `invalid ${what}: not JSON`, { cause });
  }
  return objectAt(value, what);
}

/** The value as an object. @throws {ClusterError} InvalidArgument. */
export function objectAt(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(what, "an object");
  return value as JsonObject;
}

/** The value as an object, empty when absent or null. @throws {ClusterError} InvalidArgument. */
export function optionalObjectAt(value: unknown, what: string): JsonObject {
  return value === undefined || value === null ? {} : objectAt(value, what);
}

/** The value as a list, empty when absent or null. @throws {ClusterError} InvalidArgument, also above `max` items. */
export function listAt(value: unknown, what: string, max: number): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(what, "a list");
  if (value.length > max) throw wrong(what, `at most ${max} items`);
  return value;
}

/** The value as a text, empty when absent or null. @throws {ClusterError} InvalidArgument. */
export function textAt(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw wrong(what, "a text");
  return value;
}

/** The value as a list of texts. @throws {ClusterError} InvalidArgument. */
export function textsAt(value: unknown, what: string, max: number): readonly string[] {
  return listAt(value, what, max).map((item) => textAt(item, what));
}

/** The value as a whole number from 0, 0 when absent or null. @throws {ClusterError} InvalidArgument. */
export function countAt(value: unknown, what: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw wrong(what, "a whole number from 0");
  return value;
}

function wrong(what: string, want: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid ${what}: want ${want}`);
}
