import { invalid } from "../../../core/shell-words/invalid.ts";
import { findJsonWords } from "../../../core/shell-words/words.ts";
import { type Directives, readDirectives } from "./directives.ts";
import { splitFlags } from "./flags.ts";
import { findHeredocMarks, type Heredoc, type HeredocMark } from "./heredoc.ts";

/** Larger than any seen; it is held in memory. */
export const DOCKERFILE_BYTES_MAX = 1024 * 1024;
/** Docker's. Source: Go, bufio.MaxScanTokenSize. */
export const LINE_LENGTH_MAX = 65_535;

/** One instruction as it stands, its lines joined. */
export interface Node {
  /** From 1. */
  readonly line: number;
  /** As written: `from`, `Run`. */
  readonly name: string;
  readonly flags: readonly string[];
  /** All after name and flags. */
  readonly rest: string;
  readonly original: string;
  readonly heredocs: readonly Heredoc[];
}

/** A Dockerfile taken apart. */
export interface Nodes {
  readonly directives: Directives;
  /** At least one. */
  readonly nodes: readonly Node[];
  readonly warnings: readonly string[];
}

const WITH_HEREDOCS = ["run", "copy", "add"];
const BLANKS = /[\t\v\f\r ]+/;

/**
 * Takes a Dockerfile apart into instructions: comments go, lines are joined, heredocs are found.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 * Source: Dockerfile reference, "Format", "Escape", "Here-documents".
 */
export function splitDockerfile(text: string): Nodes {
  const lines = linesOf(text.replace(/^\ufeff/, ""));
  const directives = readDirectives(lines);
  const nodes: Node[] = [];
  const warnings: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const joined = joinLines(lines, at, directives.escapeSign);
    const line = at + 1;
    at = joined.end;
    if (joined.text.trim() === "") continue;
    if (joined.hasEmptyLine) warnings.push(`Empty continuation line found in: ${joined.text}`);
    const node = splitNode(joined.text, directives.escapeSign);
    const heredocs: Heredoc[] = [];
    for (const mark of heredocMarksOf(node, directives.escapeSign)) {
      const found = readHeredoc(lines, at, mark);
      at = found.end;
      heredocs.push(found.heredoc);
    }
    nodes.push({ ...node, line, heredocs });
  }
  if (nodes.length === 0) throw invalid("file with no instructions");
  return { directives, nodes, warnings };
}

/** An instruction's name, its flags and the rest. */
export function splitNode(
  text: string,
  escapeSign: string,
): Pick<Node, "name" | "flags" | "rest" | "original"> {
  const trimmed = text.trim();
  const at = trimmed.search(BLANKS);
  const name = at === -1 ? trimmed : trimmed.slice(0, at);
  const { flags, rest } = splitFlags(at === -1 ? "" : trimmed.slice(at), escapeSign);
  return { name, flags, rest: rest.trim(), original: text };
}

/** A line's end may be two characters; what is behind the last one is a line only if there is something. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines)
    if (line.length > LINE_LENGTH_MAX)
      throw invalid(`dockerfile line greater than max allowed size of ${LINE_LENGTH_MAX}`);
  return lines;
}

interface JoinedLine {
  readonly text: string;
  /** The first line after it. */
  readonly end: number;
  readonly hasEmptyLine: boolean;
}

function joinLines(lines: readonly string[], start: number, escapeSign: string): JoinedLine {
  const first = (lines[start] ?? "").replace(/\r+$/, "").trimStart();
  if (first.startsWith("#")) return { text: "", end: start + 1, hasEmptyLine: false };
  const parts: string[] = [];
  let hasEmptyLine = false;
  let goesOn = addPart(parts, first, escapeSign);
  let at = start + 1;
  for (; goesOn && at < lines.length; at++) {
    const line = (lines[at] ?? "").replace(/\r+$/, "");
    if (line.trimStart().startsWith("#")) continue;
    if (line.trim() === "") hasEmptyLine = true;
    else goesOn = addPart(parts, line, escapeSign);
  }
  return { text: parts.join(""), end: at, hasEmptyLine };
}

/** Whether the next line belongs to it: its last character is the escape sign, and not an escaped one. */
function addPart(parts: string[], line: string, escapeSign: string): boolean {
  const end = endWithoutBlanks(line);
  const goesOn = end > 0 && line[end - 1] === escapeSign && line[end - 2] !== escapeSign;
  parts.push(goesOn ? line.slice(0, end - 1) : line);
  return goesOn;
}

function endWithoutBlanks(line: string): number {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return end;
}

/** ONBUILD has those of the instruction in it. */
function heredocMarksOf(
  { name, rest, original }: Pick<Node, "name" | "rest" | "original">,
  escapeSign: string,
): readonly HeredocMark[] {
  if (!original.includes("<<")) return [];
  if (name.toLowerCase() === "onbuild") {
    const inner = splitNode(rest, escapeSign);
    return inner.name.toLowerCase() === "onbuild" ? [] : heredocMarksOf(inner, escapeSign);
  }
  if (!WITH_HEREDOCS.includes(name.toLowerCase())) return [];
  return findJsonWords(rest) === undefined ? findHeredocMarks(original) : [];
}

function readHeredoc(
  lines: readonly string[],
  start: number,
  mark: HeredocMark,
): { readonly heredoc: Heredoc; readonly end: number } {
  for (let at = start; at < lines.length; at++) {
    const line = (lines[at] ?? "").replace(/\r+$/, "");
    if ((mark.stripsTabs ? line.replace(/^\t+/, "") : line) !== mark.name) continue;
    const content = lines.slice(start, at).map((text) => `${text}\n`);
    return { heredoc: { ...mark, content: content.join("") }, end: at + 1 };
  }
  throw invalid("unterminated heredoc");
}
