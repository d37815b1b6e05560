import { ClusterError } from "../../core/errors.ts";

/** One step of a pattern: any run without a slash, or one character that is `fits`. */
type Step = "star" | ((char: string) => boolean);

/**
 * A matcher for Go's path.Match patterns: `*` and `?` stop at slashes, `[a-z]`, `[^a]`, `\` before a character.
 *
 * Takes time of pattern × text, whatever the pattern.
 *
 * @throws {ClusterError} `InvalidArgument` when the pattern is malformed.
 * Source: Go, path/match.go.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const steps = parseSteps(pattern);
  return (text) => {
    // reached[i]: the text so far fits the first i steps.
    let reached = skipStars(steps, new Set([0]));
    for (const char of text) {
      const next = new Set<number>();
      for (const i of reached) {
        const step = steps[i];
        if (step === "star") {
          if (char !== "/") next.add(i);
        } else if (step?.(char)) next.add(i + 1);
      }
      reached = skipStars(steps, next);
      if (reached.size === 0) return false;
    }
    return reached.has(steps.length);
  };
}

/** A star may stand for nothing. */
function skipStars(steps: readonly Step[], reached: Set<number>): Set<number> {
  for (const i of reached) if (steps[i] === "star") reached.add(i + 1);
  return reached;
}

function parseSteps(pattern: string): Step[] {
  const chars = [...pattern];
  const steps: Step[] = [];
  while (chars.length > 0) {
    const char = chars.shift() ?? "";
    if (char === "*") steps.push("star");
    else if (char === "?") steps.push((other) => other !== "/");
    else if (char === "[") steps.push(parseClass(chars, pattern));
    else {
      const literal = char === "\\" ? escaped(chars, pattern) : char;
      steps.push((other) => other === literal);
    }
  }
  return steps;
}

/** Behind the `[`, up to its `]`. */
function parseClass(chars: string[], pattern: string): Step {
  const negated = chars[0] === "^";
  if (negated) chars.shift();
  const ranges: { readonly low: string; readonly high: string }[] = [];
  while (chars[0] !== "]" || ranges.length === 0) {
    const low = classChar(chars, pattern);
    if (chars[0] !== "-") {
      ranges.push({ low, high: low });
      continue;
    }
    chars.shift();
    ranges.push({ low, high: classChar(chars, pattern) });
  }
  chars.shift();
  return (char) => ranges.some(({ low, high }) => low <= char && char <= high) !== negated;
}

function classChar(chars: string[], pattern: string): string {
  const char = chars.shift();
  if (char === undefined || char === "-" || char === "]") throw malformed(pattern);
  return char === "\\" ? escaped(chars, pattern) : char;
}

function escaped(chars: string[], pattern: string): string {
  const char = chars.shift();
  if (char === undefined) throw malformed(pattern);
  return char;
}

function malformed(pattern: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid pattern ${JSON.stringify(pattern)}: syntax error in pattern`,
  );
}
