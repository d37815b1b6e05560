import { invalid, quoted } from "./invalid.ts";

/** A key and its value as they stand: not expanded, with their quotes. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

const SPACE = /\s/u;
const BLANKS = /[\t\v\f\r ]+/;

/** Words parted by white space; quotes and escapes hold one together and stay in it. */
export function splitWords(text: string, escapeSign: string): readonly string[] {
  const words: string[] = [];
  const chars = [...text];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (quote === "" && SPACE.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (char === escapeSign && quote !== "'") {
      // At the very end it stands for nothing.
      if (at + 1 === chars.length) break;
      word += char + (chars[++at] ?? "");
      continue;
    }
    word += char;
    if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = "";
  }
  if (word !== undefined && word !== "") words.push(word);
  return words;
}

/** Words parted by blanks and nothing else. */
export function splitBlanks(text: string): readonly string[] {
  return text === "" ? [] : text.split(BLANKS);
}

/**
 * `a=b "c d"=e`, or of one the old form: `a b c`.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function splitPairs(text: string, command: string, escapeSign: string): readonly Pair[] {
  const words = splitWords(text, escapeSign);
  const [first] = words;
  if (first === undefined) return [];
  if (!first.includes("=")) {
    const at = text.search(BLANKS);
    if (at === -1) throw invalid(`${command} must have two arguments`);
    const value = text.slice(at).replace(/^[\t\v\f\r ]+/, "");
    return [{ key: text.slice(0, at), value }];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at === -1)
      throw invalid(
        `Syntax error - can't find = in ${quoted(word)}. Must be of the form: name=value`,
      );
    return { key: word.slice(0, at), value: word.slice(at + 1) };
  });
}

/**
 * A JSON list of texts; undefined when it is no JSON list. What stands behind it, a remark say, is passed over as in Docker.
 *
 * @throws {ClusterError} InvalidArgument when something else than texts is in it. Docker's words.
 */
export function findJsonWords(text: string): readonly string[] | undefined {
  const start = text.trimStart();
  if (!start.startsWith("[")) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(start.slice(0, endOfList(start)));
  } catch {
    // A line for the shell that begins with a bracket.
    return undefined;
  }
  if (!Array.isArray(list)) return undefined;
  if (list.every((word) => typeof word === "string")) return list;
  throw invalid("when using JSON array syntax, arrays must be comprised of strings only");
}

/** The place behind the bracket that closes the first one; the whole length when none does. */
function endOfList(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]]/gs)) {
    if (token === "[") depth++;
    else if (token === "]" && --depth === 0) return index + 1;
  }
  return text.length;
}
