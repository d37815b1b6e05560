import type { Meta } from "../../proto/gen/objects.ts";

/** RFC 3339 as Go prints a time; 0 is Go's zero time. */
export function wireTime(ms: number): string {
  return ms === 0 ? "0001-01-01T00:00:00Z" : new Date(ms).toISOString();
}

/** The fields every swarm object opens with. */
export function wireMeta(id: string, meta: Meta | undefined): Record<string, unknown> {
  return {
    ID: id,
    Version: { Index: meta?.version ?? 0 },
    CreatedAt: wireTime(meta?.createdAtMs ?? 0),
    UpdatedAt: wireTime(meta?.updatedAtMs ?? 0),
  };
}

/** The object without what Go's `omitempty` leaves out: undefined, "", 0, false, [] and {}. */
export function omitEmpty(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

/** The word of `table` that stands for `value`; undefined when none does. */
export function wordOf<T>(table: Readonly<Record<string, T>>, value: T): string | undefined {
  return Object.keys(table).find((word) => table[word] === value);
}

/** `value` as `write` spells it, or undefined: fields that may be absent stay absent. */
export function maybe<T, R>(value: T | undefined, write: (value: T) => R): R | undefined {
  return value === undefined ? undefined : write(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false)
    return true;
  return Array.isArray(value) && value.length === 0;
}
