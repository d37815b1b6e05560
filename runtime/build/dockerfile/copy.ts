import { invalid } from "../../../core/shell-words/invalid.ts";
import { findJsonWords, splitBlanks } from "../../../core/shell-words/words.ts";
import { readFlags } from "./flags.ts";
import { findHeredocMark, heredocText } from "./heredoc.ts";
import type { CopyInstruction, InlineFile } from "./instruction.ts";
import type { Node } from "./lines.ts";

const BUILDKIT =
  "requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled";
/** `link` changes how an image is built and not what it is. */
const COMMON = { chown: "text", chmod: "text", link: "boolean", exclude: "text" } as const;
const COPY_FLAGS = { ...COMMON, from: "text", parents: "boolean" } as const;
const ADD_FLAGS = {
  ...COMMON,
  checksum: "text",
  "keep-git-dir": "boolean",
  unpack: "boolean",
} as const;
const REFUSED = ["exclude", "parents", "checksum", "keep-git-dir", "unpack"];

/** The error for a flag only Docker's other builder has. */
export function requiresBuildKit(flag: string): Error {
  return invalid(`the --${flag} option ${BUILDKIT}`);
}

/**
 * Reads COPY and ADD.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseCopy(kind: "copy" | "add", node: Node): CopyInstruction {
  const command = kind.toUpperCase();
  const args = findJsonWords(node.rest) ?? splitBlanks(node.rest);
  const target = args.at(-1);
  if (target === undefined || args.length < 2)
    throw invalid(
      `${command} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  const given: Readonly<Record<string, string | undefined>> =
    kind === "copy" ? readFlags(node.flags, COPY_FLAGS) : readFlags(node.flags, ADD_FLAGS);
  for (const flag of REFUSED) if (given[flag] !== undefined) throw requiresBuildKit(flag);
  if (findHeredocMark(target) !== undefined)
    throw invalid(`${command} cannot accept a heredoc as a destination`);
  const sources: string[] = [];
  const inlineFiles: InlineFile[] = [];
  for (const source of args.slice(0, -1)) {
    const mark = findHeredocMark(source);
    const heredoc = node.heredocs.find(({ name }) => name === mark?.name);
    if (mark === undefined || heredoc === undefined) sources.push(source);
    else
      inlineFiles.push({
        name: mark.name,
        content: heredocText(heredoc),
        expands: mark.expands,
      });
  }
  const { from = "", chown = "", chmod = "" } = given;
  return { kind, sources, inlineFiles, target, from, chown, chmod };
}
