import { ClusterError } from "./errors.ts";
import { compileDeepGlob } from "./glob.ts";

/** Of one `.dockerignore`. */
export const IGNORE_PATTERNS_MAX = 10_000;
/** Of one `.dockerignore`. */
export const IGNORE_BYTES_MAX = 1024 * 1024;

/** What is left out of a build's context. */
export interface IgnoreRules {
  /** @param path from the context's root, without a slash at either end. */
  ignores(path: string): boolean;
  /** Whether something below an ignored directory may be kept after all. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly isException: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * Reads a `.dockerignore`: a pattern a line, the last that fits decides, `!` brings back.
 *
 * @throws {ClusterError} InvalidArgument for a pattern that is none, and for too many.
 * Source: Dockerfile reference, ".dockerignore file".
 */
export function parseIgnoreFile(text: string): IgnoreRules {
  if (text.length > IGNORE_BYTES_MAX) throw tooLarge(`${IGNORE_BYTES_MAX} characters`);
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const rules = lines
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => readRule(line.trim()));
  if (rules.length > IGNORE_PATTERNS_MAX) throw tooLarge(`${IGNORE_PATTERNS_MAX} patterns`);
  return {
    ignores: (path) => isIgnored(rules, path),
    hasExceptions: rules.some(({ isException }) => isException),
  };
}

function readRule(line: string): readonly Rule[] {
  const isException = line.startsWith("!");
  const written = isException ? line.slice(1).trim() : line;
  if (written === "") {
    if (isException) throw new ClusterError("InvalidArgument", 'illegal exclusion pattern: "!"');
    return [];
  }
  const pattern = cleanPath(written);
  return pattern === "" ? [] : [{ isException, matches: compileDeepGlob(pattern) }];
}

/** Without `.`, `..` and doubled slashes; from the root on. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** What is in a directory a pattern fits is meant with it. */
function isIgnored(rules: readonly Rule[], path: string): boolean {
  const parts = path.split("/");
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  let ignored = false;
  // A rule that would say the same again need not be asked.
  for (const { isException, matches } of rules)
    if (isException === ignored && prefixes.some(matches)) ignored = !isException;
  return ignored;
}

function tooLarge(most: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot read .dockerignore: it has more than ${most}`);
}
