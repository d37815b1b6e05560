import { ClusterError } from "../../core/errors.ts";

/** Values of one key are alternatives; different keys must all match. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * Reads Docker's `filters` query parameter in both of its shapes: `{"label":{"a=b":true}}` (Go clients) and
 * `{"label":["a=b"]}` (most others).
 *
 * @throws {ClusterError} `InvalidArgument` on bad JSON or a key that is not in `accepted`.
 */
export function parseFilters(text: string | null, accepted: readonly string[]): Filters {
  if (text === null || text === "") return {};
  const filters: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(parseObject(text))) {
    if (!accepted.includes(key)) {
      const known = accepted.join(", ");
      throw new ClusterError("InvalidArgument", `invalid filter '${key}': use one of ${known}`);
    }
    filters[key] = readValues(key, values);
  }
  return filters;
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ClusterError("InvalidArgument", "invalid filters: not valid JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ClusterError("InvalidArgument", "invalid filters: must be a JSON object");
}

function readValues(key: string, values: unknown): string[] {
  if (Array.isArray(values) && values.every((value) => typeof value === "string")) return values;
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return Object.entries(values).flatMap(([value, on]) => (on === true ? [value] : []));
  }
  throw new ClusterError("InvalidArgument", `invalid filter '${key}': must be a list of strings`);
}
