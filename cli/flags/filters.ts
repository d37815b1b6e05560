import { ClusterError } from "../../core/errors.ts";
import { encodeFilters } from "../client/client.ts";
import { splitPair } from "./parse.ts";

/** Collects a flag that may be given many times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/**
 * The API's `filters` parameter of `--filter key=value` flags and fixed filters.
 *
 * @throws {ClusterError} `InvalidArgument` for a filter without `=`.
 */
export function filterQuery(
  texts: readonly string[] = [],
  fixed: Record<string, string[]> = {},
): string | undefined {
  const filters: Record<string, string[]> = { ...fixed };
  for (const text of texts) {
    const [key, value] = splitPair(text);
    if (!text.includes("="))
      throw new ClusterError("InvalidArgument", `invalid filter '${text}': write it like name=web`);
    filters[key] = [...(filters[key] ?? []), value];
  }
  return encodeFilters(filters);
}
