import { invalid } from "./lexer.ts";

/** What templates may call: Go's own and the docker CLI's. Source: Go text/template "Functions"; docker/cli templates. */
export const FUNCTIONS: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  json: (value) => JSON.stringify(value ?? null),
  join: (list, separator) => asList(list).map(asText).join(asText(separator)),
  split: (text, separator) => asText(text).split(asText(separator)),
  lower: (text) => asText(text).toLowerCase(),
  upper: (text) => asText(text).toUpperCase(),
  title: (text) => asText(text).replaceAll(/\b\w/g, (letter) => letter.toUpperCase()),
  pad: (text, before, after) =>
    " ".repeat(Number(before)) + asText(text) + " ".repeat(Number(after)),
  truncate: (text, length) => asText(text).slice(0, Number(length)),
  println: (...args) => `${args.map(asText).join(" ")}\n`,
  print: (...args) => args.map(asText).join(""),
  printf: (format, ...args) => formatText(asText(format), args),
  len: (value) => sizeOf(value),
  index: (value, ...keys) => keys.reduce(entryOf, value),
  not: (value) => !isTrue(value),
  and: (...args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  eq: (first, ...others) => others.some((other) => first === other),
  ne: (a, b) => a !== b,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
};

/** Go's truth: not false, 0, nil, "" or empty. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "")
    return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** As Go prints a value: lists as `[a b]`, maps as `map[k:v]`. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(asText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, field]) => `${key}:${asText(field)}`).join(" ")}]`;
}

/** A field, map entry or list item; undefined when there is none. Field names match whatever their case of ID and Id. */
export function elementOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, String(key))
    ? (value as Record<string, unknown>)[String(key)]
    : undefined;
}

/** What is not among texts is an empty one: `{{index .Config.Labels "a"}}`. */
function entryOf(value: unknown, key: unknown): unknown {
  const entry = elementOf(value, key);
  if (entry !== undefined || typeof value !== "object" || value === null) return entry;
  const isOfTexts =
    !Array.isArray(value) && Object.values(value).every((one) => typeof one === "string");
  return isOfTexts ? "" : undefined;
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw invalid("join wants a list");
}

function sizeOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return asText(a) < asText(b) ? -1 : Number(asText(a) !== asText(b));
}

function formatText(format: string, args: readonly unknown[]): string {
  let next = 0;
  return format.replaceAll(/%(-?\d*)([sdvqf%])/g, (_, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = args[next++];
    const text = verb === "q" ? JSON.stringify(asText(value)) : asText(value);
    return width.startsWith("-")
      ? text.padEnd(Number(width.slice(1)))
      : text.padStart(Number(width));
  });
}
