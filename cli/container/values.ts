import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { splitPair } from "../flags/parse.ts";
import { parseBytes, parseCount } from "../flags/units.ts";

/** `NAME=value`; a name alone takes its value from here, and takes away the image's where it has none. @throws {ClusterError} */
export function readVariable(text: string): string[] {
  if (text === "" || text.startsWith("="))
    throw new ClusterError("InvalidArgument", `invalid environment variable: ${text}`);
  if (text.includes("=")) return [text];
  const value = process.env[text];
  return [value === undefined ? text : `${text}=${value}`];
}

/** Variables, one a line; of a name alone that is not set here nothing is said. @throws {ClusterError} */
export function readVariables(path: string): string[] {
  return readLines(path)
    .filter((line) => line.includes("=") || process.env[line] !== undefined)
    .flatMap(readVariable);
}

/**
 * A variable or label a line; a line that begins with `#` is a comment.
 *
 * @throws {ClusterError} `NotFound`; `InvalidArgument` for a name that is none. Source: docker/cli, pkg/kvfile.
 */
export function readLines(path: string): string[] {
  const lines = readText(path)
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && line[0] !== "#");
  for (const line of lines) {
    const [name] = splitPair(line);
    if (name === "")
      throw new ClusterError("InvalidArgument", `cannot read ${path}: no name on line '${line}'`);
    if (/\s/.test(name)) {
      const message = `cannot read ${path}: variable '${name}' contains whitespaces`;
      throw new ClusterError("InvalidArgument", message);
    }
  }
  return lines;
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

/** A profile of seccomp is sent, not its file's name. @throws {ClusterError} */
export function parseSecurity(text: string): string {
  const [, name = text, value] = /^([^=:]*)[=:](.*)$/s.exec(text) ?? [];
  if (value === undefined && name !== "no-new-privileges")
    throw new ClusterError("InvalidArgument", `invalid --security-opt: "${text}"`);
  if (name !== "seccomp" || ["unconfined", "builtin"].includes(value ?? "")) return text;
  return `seccomp=${JSON.stringify(readProfile(value ?? ""))}`;
}

function readProfile(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `cannot read the seccomp profile ${path}: ${errorMessage(cause)}`;
    throw new ClusterError("InvalidArgument", message, { cause });
  }
}

/** `/dev/sda:1mb`: how much a second of one device. */
export function parseRate(text: string, parse: (text: string) => number): unknown {
  const [Path, rate] = devicePart(text);
  return { Path, Rate: parse(rate) };
}

/** `/dev/sda:500`: the weight at one device. */
export function parseWeight(text: string): unknown {
  const [Path, weight] = devicePart(text);
  return { Path, Weight: parseCount("weight", weight) };
}

function devicePart(text: string): [path: string, rest: string] {
  const [, path, rest] = /^(\/dev\/[^:]+):(.+)$/.exec(text) ?? [];
  if (path !== undefined && rest !== undefined) return [path, rest];
  throw new ClusterError("InvalidArgument", `invalid device '${text}': write it like /dev/sda:100`);
}

/** `name:address` or `name=address`; IPv6 in brackets or without. @throws {ClusterError} */
export function parseHost(text: string): string {
  const [, name, address] = /^([^=:]+)[=:](.+)$/.exec(text) ?? [];
  if (name === undefined || address === undefined)
    throw new ClusterError("InvalidArgument", `bad format for add-host: "${text}"`);
  return `${name}:${address.replace(/^\[(.*)\]$/, "$1")}`;
}

/** A stream to attach to. @throws {ClusterError} */
export function parseStream(text: string): "stdin" | "stdout" | "stderr" {
  const stream = text.toLowerCase();
  if (stream === "stdin" || stream === "stdout" || stream === "stderr") return stream;
  const message = `invalid attach '${text}': valid streams are STDIN, STDOUT and STDERR`;
  throw new ClusterError("InvalidArgument", message);
}
