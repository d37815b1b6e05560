import { invalid } from "../../../core/shell-words/invalid.ts";

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+)$/;
const KNOWN = ["syntax", "escape", "check"];

/** What a Dockerfile says about itself, in comments before everything else. */
export interface Directives {
  /** Takes the meaning from the next character, and joins lines: `\` or a backquote. */
  readonly escapeSign: string;
  /** Another program that would read it; empty: none. */
  readonly syntax: string;
}

/**
 * Reads the directives at the beginning. Any other line ends them.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 * Source: Dockerfile reference, "Parser directives".
 */
export function readDirectives(lines: readonly string[]): Directives {
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = DIRECTIVE.exec(line.trim()) ?? [];
    const key = name.toLowerCase();
    if (!KNOWN.includes(key)) break;
    if (found.has(key)) throw invalid(`only one ${key} parser directive can be used`);
    found.set(key, value);
  }
  const escapeSign = found.get("escape") ?? "\\";
  if (escapeSign !== "\\" && escapeSign !== "`")
    throw invalid(`invalid escape token '${escapeSign.slice(0, 40)}' does not match \` or \\`);
  return { escapeSign, syntax: found.get("syntax") ?? "" };
}
