import { ClusterError } from "./errors.ts";

/**
 * One step of a pattern: any run without a slash; any run; whole directories, at the first of which it stands or between two
 * of which; or one character that fits.
 */
type Step = "star" | "deep" | "directories" | "inDirectory" | ((char: string) => boolean);

/**
 * A matcher for Go's path.Match patterns: `*` and `?` stop at slashes, `[a-z]`, `[^a]`, `\` before a character.
 *
 * Takes time of pattern × text, whatever the pattern.
 *
 * @throws {ClusterError} `InvalidArgument` when the pattern is malformed.
 * Source: Go, path/match.go.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  return matcherOf(parseSteps(pattern, false));
}

/**
 * The same where `**` crosses slashes: at the end it stands for anything, before a slash for any number of directories, none
 * too.
 *
 * @throws {ClusterError} `InvalidArgument` when the pattern is malformed.
 * Source: Dockerfile reference, ".dockerignore file".
 */
export function compileDeepGlob(pattern: string): (text: string) => boolean {
  return matcherOf(parseSteps(pattern, true));
}

function matcherOf(steps: readonly Step[]): (text: string) => boolean {
  return (text) => {
    // reached[i]: the text so far fits the first i steps.
    let reached = skipEmpty(steps, new Set([0]));
    for (const char of text) {
      const next = new Set<number>();
      for (const i of reached) for (const after of take(steps, i, char)) next.add(after);
      reached = skipEmpty(steps, next);
      if (reached.size === 0) return false;
    }
    return reached.has(steps.length);
  };
}

/** Where a character leads from step `i`. */
function take(steps: readonly Step[], i: number, char: string): readonly number[] {
  const step = steps[i];
  if (step === undefined) return [];
  switch (step) {
    case "star":
      return char === "/" ? [] : [i];
    case "deep":
      return [i];
    case "directories":
      return char === "/" ? [i + 1, i + 2] : [i + 1];
    case "inDirectory":
      return char === "/" ? [i, i + 1] : [i];
    default:
      return step(char) ? [i + 1] : [];
  }
}

/** Runs may be of nothing; once inside a directory only its slash leads out. */
function skipEmpty(steps: readonly Step[], reached: Set<number>): Set<number> {
  for (const i of reached) {
    if (steps[i] === "star" || steps[i] === "deep") reached.add(i + 1);
    if (steps[i] === "directories") reached.add(i + 2);
  }
  return reached;
}

function parseSteps(pattern: string, isDeep: boolean): Step[] {
  const chars = [...pattern];
  const steps: Step[] = [];
  while (chars.length > 0) {
    const char = chars.shift() ?? "";
    if (isDeep && char === "*" && chars[0] === "*") steps.push(...parseDeep(chars));
    else if (char === "*") steps.push("star");
    else if (char === "?") steps.push((other) => other !== "/");
    else if (char === "[") steps.push(parseClass(chars, pattern));
    else {
      const literal = char === "\\" ? escaped(chars, pattern) : char;
      steps.push((other) => other === literal);
    }
  }
  return steps;
}

/** Behind the first star of two or more. */
function parseDeep(chars: string[]): readonly Step[] {
  while (chars[0] === "*") chars.shift();
  if (chars[0] !== "/") return ["deep"];
  chars.shift();
  return ["directories", "inDirectory"];
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
