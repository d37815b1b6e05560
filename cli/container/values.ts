import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { splitPair } from "../flags/parse.ts";
import { parseBytes, parseCount } from "../flags/units.ts";

/** `NAME=value`; a name alone takes its value from here, and is left out where it has none. */
export function readVariable(text: string): string[] {
  if (text.includes("=")) return [text];
  const value = process.env[text];
  return value === undefined ? [] : [`${text}=${value}`];
}

/** A variable or label a line; `#` begins a comment. @throws {ClusterError} `NotFound`. */
export function readLines(path: string): string[] {
  const lines = readText(path).split(/\r?\n/);
  return lines.map((line) => line.trimStart()).filter((line) => line !== "" && line[0] !== "#");
}

/** @throws {ClusterError} `NotFound`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ClusterError("NotFound", `cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** `no`, `always`, `unless-stopped`, `on-failure[:count]`. */
export function parseRestart(text: string): unknown {
  const [, name = text, count] = /^(.*):(.*)$/.exec(text) ?? [];
  const retries = count === undefined ? 0 : parseCount("number of restarts", count);
  return { Name: name, MaximumRetryCount: retries };
}

/** `source:target[:options]`: a source that begins with `.` is below the working directory. */
export function parseBind(text: string): string {
  const [source = "", ...rest] = text.split(":");
  return [source.startsWith(".") ? resolve(source) : source, ...rest].join(":");
}

/** `host[:container[:rwm]]`. */
export function parseDevice(text: string): unknown {
  const [PathOnHost = "", second = "", third] = text.split(":");
  const isMode = third === undefined && /^[rwm]+$/.test(second);
  return {
    PathOnHost,
    PathInContainer: isMode || second === "" ? PathOnHost : second,
    CgroupPermissions: isMode ? second : (third ?? "rwm"),
  };
}

/** A size in bytes, or -1. */
export function parseLimit(text: string): number {
  return text === "-1" ? -1 : parseBytes(text);
}

/** A whole number, negative or not. @throws {ClusterError} `InvalidArgument`. */
export function parseInteger(name: string): (text: string) => number {
  return (text) => {
    if (/^-?\d{1,15}$/.test(text)) return Number(text);
    throw new ClusterError(
      "InvalidArgument",
      `invalid ${name} '${text.slice(0, 40)}': must be a whole number`,
    );
  };
}

/** A profile of seccomp is sent, not its file's name. */
export function parseSecurity(text: string): string {
  const [name, value] = splitPair(text);
  if (name !== "seccomp" || ["unconfined", "builtin", ""].includes(value)) return text;
  return `seccomp=${JSON.stringify(JSON.parse(readText(value)))}`;
}
