import { ClusterError } from "../../core/errors.ts";
import { type Lookup, lex } from "../../core/shell-words/expand.ts";
import { findJsonWords, type Pair, splitPairs, splitWords } from "../../core/shell-words/words.ts";
import { readHealthcheck } from "./healthcheck-change.ts";

/** The `config` object of an image's configuration document. */
export type ConfigObject = Readonly<Record<string, unknown>>;

type Change = (config: ConfigObject, text: string) => ConfigObject;

const SHELL = ["/bin/sh", "-c"];
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/;
const PORT_MAX = 65_535;
const CHANGES_MAX = 1000;
const MESSAGE_LENGTH_MAX = 1000;
const ESCAPE_SIGN = "\\";

/** What may change an image without a build. Source: moby, builder/dockerfile/dispatchers.go; Dockerfile reference. */
const CHANGES: Readonly<Record<string, Change>> = {
  cmd: (config, text) => ({ ...config, Cmd: commandOf(text) }),
  // As in a build, an entry point of one's own has no use for the arguments of another, but for those said before it here.
  entrypoint: (config, text) => ({ ...config, Entrypoint: commandOf(text), Cmd: null }),
  env: (config, text) => ({ ...config, Env: withEnv(config.Env, pairsOf(config, text, "ENV")) }),
  expose: (config, text) => ({
    ...config,
    ExposedPorts: {
      ...asObject(config.ExposedPorts),
      ...setOf(wordsOf(config, text).flatMap(portsOf)),
    },
  }),
  healthcheck: (config, text) => ({ ...config, Healthcheck: readHealthcheck(text, findJsonWords) }),
  label: (config, text) => ({
    ...config,
    Labels: { ...asObject(config.Labels), ...Object.fromEntries(pairsOf(config, text, "LABEL")) },
  }),
  onbuild: (config, text) => ({ ...config, OnBuild: [...asList(config.OnBuild), triggerOf(text)] }),
  stopsignal: (config, text) => ({ ...config, StopSignal: oneWord(config, text, "STOPSIGNAL") }),
  user: (config, text) => ({ ...config, User: oneWord(config, text, "USER") }),
  volume: (config, text) => ({
    ...config,
    Volumes: { ...asObject(config.Volumes), ...setOf(pathsOf(config, text)) },
  }),
  workdir: (config, text) => ({
    ...config,
    WorkingDir: directoryOf(config.WorkingDir, oneWord(config, text, "WORKDIR")),
  }),
};
/** Those that say so in other words when nothing follows them. */
const ONE_ARGUMENT = ["user", "workdir", "stopsignal"];
/** What an image may not do to one that is built from it. */
const NO_TRIGGERS = ["FROM", "MAINTAINER"];

/**
 * The configuration after lines as of a Dockerfile, `CMD ["sh"]`, in their order.
 *
 * @throws {ClusterError} `InvalidArgument` naming the line.
 */
export function applyChanges(config: ConfigObject, changes: readonly string[]): ConfigObject {
  const lines = changes.flatMap((change) => change.split("\n")).map((line) => line.trim());
  if (lines.length > CHANGES_MAX) throw refused(`more than ${CHANGES_MAX} changes`);
  const said = lines.filter((text) => text !== "" && !text.startsWith("#"));
  if (changes.length > 0 && said.length === 0) throw refused("file with no instructions");
  let after = config;
  let isCmdSaid = false;
  for (const line of said) {
    const { Cmd } = after;
    after = applyChange(after, line);
    if (isCmdSaid && nameOf(line) === "entrypoint") after = { ...after, Cmd };
    isCmdSaid ||= nameOf(line) === "cmd";
  }
  return after;
}

function nameOf(line: string): string {
  return (/^\S+/.exec(line)?.[0] ?? "").toLowerCase();
}

function applyChange(config: ConfigObject, line: string): ConfigObject {
  const [, word = "", text = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const name = word.toLowerCase();
  const change = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined;
  if (change === undefined) throw refused(`${word} is not a valid change command`);
  if (text === "") {
    const wanted = ONE_ARGUMENT.includes(name) ? "exactly" : "at least";
    throw refused(`${word.toUpperCase()} requires ${wanted} one argument`);
  }
  return change(config, text);
}

/** A JSON list as it is, else a line for the shell. */
function commandOf(text: string): readonly string[] {
  return findJsonWords(text) ?? [...SHELL, text];
}

function pairsOf(config: ConfigObject, text: string, command: string): [string, string][] {
  const expand = (word: string) => expanded(config, word);
  return splitPairs(text, command, ESCAPE_SIGN).map(({ key, value }: Pair) => [
    expand(key),
    expand(value),
  ]);
}

function wordsOf(config: ConfigObject, text: string): readonly string[] {
  const lookup = lookupIn(config);
  return lex(text, { escapeSign: ESCAPE_SIGN, lookup }).words;
}

function pathsOf(config: ConfigObject, text: string): readonly string[] {
  const paths = findJsonWords(text) ?? splitWords(text, ESCAPE_SIGN);
  return paths.map((path) => expanded(config, path));
}

function oneWord(config: ConfigObject, text: string, command: string): string {
  if (command === "USER" && splitWords(text, ESCAPE_SIGN).length > 1)
    throw refused(`${command} requires exactly one argument`);
  return expanded(config, text);
}

function expanded(config: ConfigObject, text: string): string {
  return lex(text, { escapeSign: ESCAPE_SIGN, lookup: lookupIn(config) }).text;
}

/** The variables the containers of the image will have. */
function lookupIn({ Env }: ConfigObject): Lookup {
  return (name) => {
    const line = asList(Env).findLast((entry) => entry.startsWith(`${name}=`));
    return line?.slice(name.length + 1);
  };
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function triggerOf(text: string): string {
  const name = nameOf(text).toUpperCase();
  if (name === "ONBUILD") throw refused("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (NO_TRIGGERS.includes(name)) throw refused(`${name} isn't allowed as an ONBUILD trigger`);
  return text;
}

/** Each variable stays in its place. */
function withEnv(env: unknown, pairs: readonly [string, string][]): readonly string[] {
  const lines = new Map(asList(env).map((line) => [line.split("=", 1)[0] ?? "", line]));
  for (const [name, value] of pairs) lines.set(name, `${name}=${value}`);
  return [...lines.values()];
}

function portsOf(word: string): readonly string[] {
  const [, first = "", last = first, protocol = "tcp"] = PORT.exec(word) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || from < 1 || to > PORT_MAX || to < from)
    throw refused(`invalid containerPort: ${word}`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

function directoryOf(before: unknown, path: string): string {
  const base = typeof before === "string" ? before : "";
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function setOf(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

/** In Docker's words. */
function refused(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", reason.slice(0, MESSAGE_LENGTH_MAX));
}
