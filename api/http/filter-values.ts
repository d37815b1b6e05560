import { ClusterError } from "../../core/errors.ts";
import type { Filters } from "./filters.ts";

/** Whether there are all of them; `key` alone asks for any value. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: readonly string[] = [],
): boolean {
  return wanted.every((text) => {
    const [key = ""] = text.split("=", 1);
    if (!Object.hasOwn(labels, key)) return false;
    return text === key || labels[key] === text.slice(key.length + 1);
  });
}

/** A filter that is one truth value; undefined when it is not there. @throws {ClusterError} `InvalidArgument`. Docker's words. */
export function readTruth(filters: Filters, key: string): boolean | undefined {
  const values = filters[key];
  if (values === undefined || values.length === 0) return undefined;
  const [word = ""] = values;
  if (values.length === 1 && /^(1|t|true)$/i.test(word)) return true;
  if (values.length === 1 && /^(0|f|false)$/i.test(word)) return false;
  throw new ClusterError("InvalidArgument", `invalid filter '${key}=[${values.join(" ")}]'`);
}

/** Docker's names are regular expressions; a text that is none is looked for as it stands. */
export function toPattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  }
}
