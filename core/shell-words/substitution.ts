import { invalid } from "./invalid.ts";
import { fitLength, parseWildcard } from "./wildcard.ts";

/** What stands behind the name in `${name…}`. */
export interface Modifier {
  /** `-`, `+`, `?`, `#`, `%`, or `/`. */
  readonly kind: string;
  /** With a colon before it: an empty variable counts as unset. */
  readonly emptyIsUnset: boolean;
  readonly word: string;
  /** Of `/`: what takes the place, and whether everywhere. */
  readonly replacement?: string;
  readonly everywhere?: boolean;
}

/**
 * The value of `${name<modifier>word}`.
 *
 * @throws {ClusterError} InvalidArgument for `?` without a value, and wrong patterns.
 * Source: POSIX.1-2017, XCU 2.6.2, "Parameter Expansion"; Dockerfile reference, "Environment replacement".
 */
export function substitute(name: string, value: string | undefined, modifier: Modifier): string {
  const { kind, emptyIsUnset, word } = modifier;
  const isUnset = value === undefined || (emptyIsUnset && value === "");
  switch (kind) {
    case "-":
      return isUnset ? word : value;
    case "+":
      return isUnset ? "" : word;
    case "?": {
      if (!isUnset) return value;
      const why = value === undefined ? "unset" : "empty";
      throw invalid(`${name}: ${word === "" ? `is not allowed to be ${why}` : word}`);
    }
    case "#":
      return withoutPrefix(value ?? "", word);
    case "%":
      return withoutSuffix(value ?? "", word);
    default:
      return replaced(value ?? "", modifier);
  }
}

/** A doubled sign asks for the longest. */
function isDoubled(word: string, sign: string): { readonly pattern: string; greedy: boolean } {
  return word.startsWith(sign)
    ? { pattern: word.slice(1), greedy: true }
    : { pattern: word, greedy: false };
}

function withoutPrefix(value: string, word: string): string {
  const { pattern, greedy } = isDoubled(word, "#");
  const chars = [...value];
  return chars.slice(fitLength(parseWildcard(pattern), chars, { greedy }) ?? 0).join("");
}

/** From behind, both turned round: the fewest characters at the end are then the fewest at the beginning. */
function withoutSuffix(value: string, word: string): string {
  const { pattern, greedy } = isDoubled(word, "%");
  const chars = [...value].toReversed();
  const places = parseWildcard(pattern).toReversed();
  return chars
    .slice(fitLength(places, chars, { greedy }) ?? 0)
    .toReversed()
    .join("");
}

/** The longest match at the first place where there is one; or at all of them, left to right. */
function replaced(value: string, { word, replacement = "", everywhere }: Modifier): string {
  const places = parseWildcard(word);
  const chars = [...value];
  const parts: string[] = [];
  for (let at = 0; at < chars.length; ) {
    const length = fitLength(places, chars, { start: at, greedy: true });
    if (length === undefined || length === 0) {
      parts.push(chars[at++] ?? "");
      continue;
    }
    parts.push(replacement);
    at += length;
    if (everywhere !== true) return parts.join("") + chars.slice(at).join("");
  }
  return parts.join("");
}
