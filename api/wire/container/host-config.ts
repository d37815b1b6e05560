import type { NamespaceSettings, RestartPolicy } from "../../backends/container-settings.ts";
import type { JsonReader } from "../../http/json-reader.ts";
import { invalid } from "./invalid.ts";

/** The parts of Docker's HostConfig that are words with a meaning of their own. */

const RESTART_KINDS = ["no", "always", "unless-stopped", "on-failure"] as const;
const OOM_SCORE_MAX = 1000;

/** Gives the whole id of a container somebody names. @throws {ClusterError} NotFound. */
export type ResolveContainer = (ref: string) => string;

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function readRestartPolicy(json: JsonReader): RestartPolicy {
  const name = json.string("Name");
  const retriesMax = json.integer("MaximumRetryCount");
  const kind = RESTART_KINDS.find((known) => known === (name === "" ? "no" : name));
  if (kind === undefined)
    throw invalid(
      `invalid restart policy: unknown policy '${name.slice(0, 40)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (kind !== "on-failure" && retriesMax !== 0)
    throw invalid(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${retriesMax < 0 ? " and cannot be negative" : ""}`,
    );
  if (retriesMax < 0)
    throw invalid("invalid restart policy: maximum retry count cannot be negative");
  return { kind, retriesMax };
}

export function writeRestartPolicy({ kind, retriesMax }: RestartPolicy): Record<string, unknown> {
  return { Name: kind, MaximumRetryCount: retriesMax };
}

/** @throws {ClusterError} InvalidArgument, NotFound. Docker's words. */
export function readNamespaces(json: JsonReader, resolve: ResolveContainer): NamespaceSettings {
  const pid = json.string("PidMode");
  const ipc = json.string("IpcMode");
  const uts = json.string("UTSMode");
  const cgroup = json.string("CgroupnsMode");
  const user = json.string("UsernsMode");
  if (uts !== "" && uts !== "host") throw invalid(`invalid UTS mode: ${uts.slice(0, 100)}`);
  if (!["", "private", "host"].includes(cgroup))
    throw invalid(`invalid cgroup namespace mode: ${cgroup.slice(0, 100)}`);
  // Users are not mapped to others here: the host's are all there are.
  if (user !== "" && user !== "host")
    throw invalid(`invalid user namespace mode: ${user.slice(0, 100)}`);
  const ofContainer = (mode: string, words: readonly string[], what: string) => {
    if (words.includes(mode)) return mode;
    if (/^container:./s.test(mode)) return `container:${resolve(mode.slice("container:".length))}`;
    throw invalid(`invalid ${what} mode: ${mode.slice(0, 100)}`);
  };
  return {
    pid: ofContainer(pid, ["", "host"], "PID"),
    ipc: ofContainer(ipc, ["", "private", "shareable", "none", "host"], "IPC"),
    uts,
    cgroup,
  };
}

/** `name:IP` as lines of /etc/hosts; `host-gateway` in place of an address is found when the container starts. @throws {ClusterError} InvalidArgument. Docker's words. */
export function readExtraHosts(json: JsonReader): string[] {
  return json.strings("ExtraHosts").map((entry) => {
    const [, name, address] = /^([^:=\s]+)[:=]\[?([^\]\s]+)\]?$/.exec(entry) ?? [];
    if (name === undefined || address === undefined)
      throw invalid(`bad format for add-host: ${JSON.stringify(entry.slice(0, 200))}`);
    if (address !== "host-gateway" && !isAddress(address))
      throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
    return `${address}\t${name}`;
  });
}

/** The lines as the client wrote them. */
export function writeExtraHosts(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const [address = "", name = ""] = line.split(/\s+/);
    return `${name}:${address}`;
  });
}

export function readOomScore(json: JsonReader): number {
  const score = json.integer("OomScoreAdj");
  if (Math.abs(score) <= OOM_SCORE_MAX) return score;
  throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
}

/** Which drivers and options there are is the runtime's business. */
export function readLogConfig(json: JsonReader): {
  readonly driver: string;
  readonly options: Record<string, string>;
} {
  return { driver: json.string("Type") || "json-file", options: json.stringMap("Config") };
}

function isAddress(text: string): boolean {
  return /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text);
}
