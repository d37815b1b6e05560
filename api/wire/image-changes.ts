import { ClusterError } from "../../core/errors.ts";
import { readHealthcheck } from "./healthcheck-change.ts";

/** The `config` object of an image's configuration document. */
export type ConfigObject = Readonly<Record<string, unknown>>;

type Change = (config: ConfigObject, text: string) => ConfigObject;

const SHELL = ["/bin/sh", "-c"];
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/;
const PORT_MAX = 65_535;
const CHANGES_MAX = 1000;

/** What may change an image without a build. Source: moby, builder/dockerfile/dispatchers.go; Dockerfile reference. */
const CHANGES: Readonly<Record<string, Change>> = {
  cmd: (config, text) => ({ ...config, Cmd: commandOf(text) }),
  // As in a build, an entry point of one's own has no use for the arguments of another, but for those said before it here.
  entrypoint: (config, text) => ({ ...config, Entrypoint: commandOf(text), Cmd: null }),
  env: (config, text) => ({ ...config, Env: withEnv(config.Env, pairsOf(text, "ENV")) }),
  expose: (config, text) => ({
    ...config,
    ExposedPorts: { ...asObject(config.ExposedPorts), ...setOf(wordsOf(text).flatMap(portsOf)) },
  }),
  healthcheck: (config, text) => ({ ...config, Healthcheck: readHealthcheck(text, listOf) }),
  label: (config, text) => ({
    ...config,
    Labels: { ...asObject(config.Labels), ...Object.fromEntries(pairsOf(text, "LABEL")) },
  }),
  onbuild: (config, text) => ({ ...config, OnBuild: [...asList(config.OnBuild), text] }),
  stopsignal: (config, text) => ({ ...config, StopSignal: oneWord(text, "STOPSIGNAL") }),
  user: (config, text) => ({ ...config, User: oneWord(text, "USER") }),
  volume: (config, text) => ({
    ...config,
    Volumes: { ...asObject(config.Volumes), ...setOf(listOf(text) ?? wordsOf(text)) },
  }),
  workdir: (config, text) => ({ ...config, WorkingDir: directoryOf(config.WorkingDir, text) }),
};

/**
 * The configuration after lines as of a Dockerfile, `CMD ["sh"]`, in their order.
 *
 * @throws {ClusterError} `InvalidArgument` naming the line.
 */
export function applyChanges(config: ConfigObject, changes: readonly string[]): ConfigObject {
  const lines = changes.flatMap((change) => change.split("\n")).map((line) => line.trim());
  if (lines.length > CHANGES_MAX) throw refused("", `more than ${CHANGES_MAX} lines`);
  let after = config;
  let isCmdSaid = false;
  for (const line of lines.filter((text) => text !== "" && !text.startsWith("#"))) {
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
  if (change === undefined)
    throw new ClusterError("InvalidArgument", `${word} is not a valid change command`);
  if (text === "")
    throw new ClusterError(
      "InvalidArgument",
      `${word.toUpperCase()} requires at least one argument`,
    );
  return change(config, text);
}

/** A JSON list as it is, else a line for the shell. */
function commandOf(text: string): readonly string[] {
  return listOf(text) ?? [...SHELL, text];
}

function listOf(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((word) => typeof word === "string")) return list;
  } catch {
    // Not a list: it is a line for the shell, as `[ -f x ] && y` is one.
  }
  return undefined;
}

/** `a=b c="d e"`, or the old form of one: `a b c`. */
function pairsOf(text: string, command: string): readonly [string, string][] {
  const words = wordsOf(text);
  if (!(words[0] ?? "").includes("=")) {
    const [, key = "", value] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
    if (value === undefined) throw refused(text, `${command} must have two arguments`);
    return [[key, value]];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1)
      throw refused(
        text,
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

/** Words as a shell parts them, without what it expands. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\" && quote !== "'" && i + 1 < text.length)
      word = (word ?? "") + text.charAt(++i);
    else if (quote !== "") {
      if (char === quote) quote = "";
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "")
    throw refused(text, `unexpected end of statement while looking for matching ${quote}`);
  return word === undefined ? words : [...words, word];
}

function oneWord(text: string, command: string): string {
  const [word = "", ...more] = wordsOf(text);
  if (more.length > 0) throw refused(text, `${command} requires exactly one argument`);
  return word;
}

function withEnv(env: unknown, pairs: readonly [string, string][]): readonly string[] {
  const names = new Set(pairs.map(([name]) => name));
  const kept = asList(env).filter((line) => !names.has(line.split("=", 1)[0] ?? ""));
  return [...kept, ...pairs.map(([name, value]) => `${name}=${value}`)];
}

function portsOf(word: string): readonly string[] {
  const [, first = "", last = first, protocol = "tcp"] = PORT.exec(word) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || from < 1 || to > PORT_MAX || to < from)
    throw refused(word, `invalid containerPort: ${word}`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

function directoryOf(before: unknown, text: string): string {
  const base = typeof before === "string" ? before : "";
  const path = oneWord(text, "WORKDIR");
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

function refused(line: string, reason: string): ClusterError {
  const where = line === "" ? "" : ` in ${JSON.stringify(line.slice(0, 200))}`;
  return new ClusterError("InvalidArgument", `invalid change${where}: ${reason}`);
}
