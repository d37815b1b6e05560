import { invalid } from "../../../core/shell-words/invalid.ts";
import {
  findJsonWords,
  type Pair,
  splitBlanks,
  splitPairs,
  splitWords,
} from "../../../core/shell-words/words.ts";
import { parseCopy, requiresBuildKit } from "./copy.ts";
import { readFlags } from "./flags.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { heredocText } from "./heredoc.ts";
import type { BuildArg, CommandLine, Step } from "./instruction.ts";
import type { Node } from "./lines.ts";

const NOT_AFTER_ONBUILD = ["MAINTAINER", "FROM"];
const BUILDKIT_ONLY = ["mount", "network", "security", "device"];

type Parse = (node: Node, escapeSign: string) => Step;

const PARSERS: Readonly<Record<string, Parse>> = {
  add: (node) => parseCopy("add", node),
  arg: (node, escapeSign) => ({ kind: "arg", args: parseArgs(splitWords(node.rest, escapeSign)) }),
  cmd: (node) => ({ kind: "cmd", command: commandLine(node.rest) }),
  copy: (node) => parseCopy("copy", node),
  entrypoint: (node) => ({ kind: "entrypoint", command: commandLine(node.rest) }),
  env: (node, escapeSign) => ({ kind: "env", pairs: pairsOf(node, "ENV", escapeSign) }),
  expose: (node) => ({
    kind: "expose",
    ports: atLeastOne(splitBlanks(node.rest), "EXPOSE").toSorted(),
  }),
  healthcheck: (node) => parseHealthcheck(node.flags, node.rest),
  label: (node, escapeSign) => ({
    kind: "label",
    pairs: pairsOf(node, "LABEL", escapeSign),
    isLiteral: false,
  }),
  maintainer: (node) => ({ kind: "maintainer", text: exactlyOne(node.rest, "MAINTAINER") }),
  onbuild: parseOnbuild,
  run: parseRun,
  shell: parseShell,
  stopsignal: (node) => ({ kind: "stopsignal", signal: exactlyOne(node.rest, "STOPSIGNAL") }),
  user: (node) => ({ kind: "user", user: exactlyOne(node.rest, "USER") }),
  volume: (node) => ({ kind: "volume", paths: parseVolumes(node.rest) }),
  workdir: (node) => ({ kind: "workdir", path: exactlyOne(node.rest, "WORKDIR") }),
};

/** Those that read flags of their own. */
const WITH_FLAGS = ["add", "copy", "healthcheck", "run"];

/** Names of instructions, lower case. */
export const STEP_NAMES: readonly string[] = Object.keys(PARSERS);

/**
 * Reads one instruction other than FROM.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseStep(node: Node, escapeSign: string): Step {
  const name = node.name.toLowerCase();
  const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  if (parse === undefined) throw invalid(`unknown instruction: ${node.name.slice(0, 100)}`);
  const step = parse(node, escapeSign);
  if (!WITH_FLAGS.includes(name)) readFlags(node.flags, {});
  return step;
}

/** Names with or without a value, as ARG has them. */
function parseArgs(words: readonly string[]): readonly BuildArg[] {
  return atLeastOne(words, "ARG").map((word) => {
    const at = word.indexOf("=");
    if (at === 0) throw invalid("ARG names can not be blank");
    if (at === -1) return { name: word, value: undefined };
    return { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

function parseRun({ flags, rest, heredocs }: Node): Step {
  const [flag] = flags;
  if (flag !== undefined) {
    const name = flag.slice(2).split("=", 1)[0] ?? "";
    throw BUILDKIT_ONLY.includes(name)
      ? requiresBuildKit(name)
      : invalid(`unknown flag: --${name}`);
  }
  const texts = heredocs.map((heredoc) => ({
    name: heredoc.name,
    content: heredoc.content,
    text: heredocText(heredoc),
  }));
  return { kind: "run", command: commandLine(rest), heredocs: texts };
}

function parseShell({ rest, original }: Node): Step {
  const words = findJsonWords(rest);
  if (rest === "" || words?.length === 0) throw invalid("SHELL requires at least one argument");
  if (words === undefined)
    throw invalid(`SHELL requires the arguments to be in JSON form: ${original.slice(0, 1000)}`);
  return { kind: "shell", words };
}

/** It is read when it is carried out; what it may not be is said now. */
function parseOnbuild({ rest, heredocs }: Node): Step {
  if (rest === "") throw invalid("ONBUILD requires at least one argument");
  const trigger = (/^\S+/.exec(rest)?.[0] ?? "").toUpperCase();
  if (trigger === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (NOT_AFTER_ONBUILD.includes(trigger))
    throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`);
  const texts = heredocs.map(({ content, name }) => `\n${content}${name}`);
  return { kind: "onbuild", expression: rest + texts.join("") };
}

function parseVolumes(rest: string): readonly string[] {
  const paths = atLeastOne(findJsonWords(rest) ?? splitBlanks(rest), "VOLUME");
  return paths.map((path) => {
    if (path.trim() === "") throw invalid("VOLUME specified can not be an empty string");
    return path.trim();
  });
}

function pairsOf({ rest }: Node, command: string, escapeSign: string): readonly Pair[] {
  const pairs = atLeastOne(splitPairs(rest, command, escapeSign), command);
  if (pairs.some(({ key }) => key === "")) throw invalid(`${command} names can not be blank`);
  return pairs;
}

function commandLine(rest: string): CommandLine {
  const words = findJsonWords(rest);
  if (words !== undefined) return { words, isShell: false };
  return { words: rest === "" ? [] : [rest], isShell: true };
}

function atLeastOne<T>(list: readonly T[], command: string): readonly T[] {
  if (list.length > 0) return list;
  throw invalid(`${command} requires at least one argument`);
}

function exactlyOne(text: string, command: string): string {
  if (text !== "") return text;
  throw invalid(`${command} requires exactly one argument`);
}
