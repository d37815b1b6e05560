import { invalid } from "../../../core/shell-words/invalid.ts";

/** Flags of an instruction as they stand: `--from=build`; and what comes after them. */
export interface SplitFlags {
  readonly flags: readonly string[];
  readonly rest: string;
}

/** What an instruction may be told: a word, or yes and no. */
export type FlagKind = "text" | "boolean";

const SPACE = /\s/u;

/** Takes the words that begin with `--` from the front; `--` alone ends them. Quotes are taken off. */
export function splitFlags(text: string, escapeSign: string): SplitFlags {
  const chars = [...text];
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < chars.length && SPACE.test(chars[at] ?? "")) at++;
    if (chars[at] !== "-" || chars[at + 1] !== "-") break;
    const word = readWord(chars, at, escapeSign);
    at = word.end;
    if (word.text === "--") break;
    flags.push(word.text);
  }
  return { flags, rest: chars.slice(at).join("") };
}

/**
 * The values of flags, each among `known`; yes is `true`.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function readFlags<K extends string>(
  flags: readonly string[],
  known: Readonly<Record<K, FlagKind>>,
): Partial<Record<K, string>> {
  const values: Partial<Record<K, string>> = {};
  for (const flag of flags) {
    const at = flag.indexOf("=");
    const written = at === -1 ? flag : flag.slice(0, at);
    const name = written.slice(2) as K;
    if (!Object.hasOwn(known, name)) throw invalid(`unknown flag: ${written}`);
    if (Object.hasOwn(values, name)) throw invalid(`duplicate flag specified: ${written}`);
    const value = at === -1 ? undefined : flag.slice(at + 1);
    values[name] = known[name] === "text" ? textOf(written, value) : booleanOf(written, value);
  }
  return values;
}

function textOf(written: string, value: string | undefined): string {
  if (value === undefined) throw invalid(`missing a value on flag: ${written}`);
  return value;
}

function booleanOf(written: string, value: string | undefined): string {
  if (value === "") throw invalid(`missing a value on flag: ${written}`);
  const word = (value ?? "true").toLowerCase();
  if (word === "true" || word === "false") return word;
  throw invalid(`expecting boolean value for flag ${written}, not: ${value}`);
}

function readWord(
  chars: readonly string[],
  start: number,
  escapeSign: string,
): { readonly text: string; readonly end: number } {
  let text = "";
  let quote = "";
  let at = start;
  for (; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (quote === "" && SPACE.test(char)) break;
    if (char === escapeSign) text += chars[++at] ?? "";
    else if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = "";
    else text += char;
  }
  return { text, end: Math.min(at, chars.length) };
}
