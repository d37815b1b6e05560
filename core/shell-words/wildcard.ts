import { invalid } from "./invalid.ts";

/** One place of a pattern: any run of characters, any one character, or this one. */
type Place = "run" | "any" | { readonly char: string };

/**
 * The patterns of `${name#pattern}`: `*` and `?`, a backslash before them and itself, and before `}` and `/`, which end such
 * a pattern otherwise. No brackets: Docker has none here.
 *
 * Takes time of pattern × text, whatever the pattern.
 *
 * @throws {ClusterError} InvalidArgument for a backslash before anything else.
 * Source: POSIX.1-2017, XCU 2.13, "Pattern Matching Notation"; buildkit, frontend/dockerfile/shell.
 */
export function parseWildcard(pattern: string): readonly Place[] {
  const chars = [...pattern];
  const places: Place[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") places.push("run");
    else if (char === "?") places.push("any");
    else if (char !== "\\") places.push({ char });
    else {
      const escaped = chars[++at];
      if (escaped === undefined || !"*?\\}/".includes(escaped))
        throw invalid(
          `invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped ?? ""}'`,
        );
      places.push({ char: escaped });
    }
  }
  return places;
}

/** How many characters from `start` fit the whole pattern: the fewest, or with `greedy` the most. Undefined: none do. */
export function fitLength(
  places: readonly Place[],
  chars: readonly string[],
  { start = 0, greedy = false }: { readonly start?: number; readonly greedy?: boolean } = {},
): number | undefined {
  // reached[i]: the characters so far fit the first i places.
  let reached = passRuns(places, new Set([0]));
  let best = reached.has(places.length) ? 0 : undefined;
  for (let at = start; at < chars.length && reached.size > 0; at++) {
    if (best !== undefined && !greedy) return best;
    reached = passRuns(places, step(places, reached, chars[at] ?? ""));
    if (reached.has(places.length)) best = at + 1 - start;
  }
  return best;
}

function step(places: readonly Place[], reached: ReadonlySet<number>, char: string): Set<number> {
  const next = new Set<number>();
  for (const i of reached) {
    const place = places[i];
    if (place === "run") next.add(i);
    else if (place === "any" || place?.char === char) next.add(i + 1);
  }
  return next;
}

/** A run may be of nothing. A set that grows while it is walked is walked to its new end. */
function passRuns(places: readonly Place[], reached: Set<number>): Set<number> {
  for (const i of reached) if (places[i] === "run") reached.add(i + 1);
  return reached;
}
