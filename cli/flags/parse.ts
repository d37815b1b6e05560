import { ClusterError } from "../../core/errors.ts";
import type { WirePort } from "../client/wire.ts";
import { parseCount } from "./units.ts";

const PORT_MAX = 65535;

/**
 * Reads `--publish` in both forms: `8080:80/tcp`, `80`, `8000-8002:80-82`, and
 * `published=8080,target=80,protocol=tcp,mode=ingress`. A range gives a port each.
 *
 * @throws {ClusterError} `InvalidArgument`.
 */
export function parsePublish(text: string): WirePort[] {
  return text.includes("=") ? [parseLongPublish(text)] : parseShortPublish(text);
}

function parseLongPublish(text: string): WirePort {
  const fields = parsePairs(text, ["published", "target", "protocol", "mode"]);
  const target = fields.get("target");
  if (target === undefined) throw invalid("publish", text, "target=PORT is missing");
  const published = fields.get("published");
  const protocol = fields.get("protocol") ?? "tcp";
  const mode = fields.get("mode") ?? "ingress";
  if (!["tcp", "udp", "sctp"].includes(protocol))
    throw invalid("publish", text, "the protocol is tcp, udp or sctp");
  if (!["ingress", "host"].includes(mode))
    throw invalid("publish", text, "the mode is ingress or host");
  return {
    Protocol: protocol,
    TargetPort: parsePort(target, text),
    PublishMode: mode,
    ...(published === undefined ? {} : { PublishedPort: parsePort(published, text) }),
  };
}

function parseShortPublish(text: string): WirePort[] {
  const match = /^(?:(\d+)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (match === null) {
    const hint = /^[^/]+:\d+:\d+/.test(text)
      ? "a host address is not supported"
      : "write it like 8080:80 or 8080:80/udp";
    throw invalid("publish", text, hint);
  }
  const [, published, publishedEnd, target = "", targetEnd, protocol = "tcp"] = match;
  const targets = portRange(target, targetEnd, text);
  const sources = published === undefined ? undefined : portRange(published, publishedEnd, text);
  if (sources !== undefined && sources.length !== targets.length) {
    throw invalid("publish", text, "the ranges differ in length");
  }
  return targets.map((port, position) => ({
    Protocol: protocol,
    TargetPort: port,
    PublishMode: "ingress",
    ...(sources === undefined ? {} : { PublishedPort: sources[position] ?? 0 }),
  }));
}

function portRange(first: string, last: string | undefined, text: string): number[] {
  const start = parsePort(first, text);
  const end = last === undefined ? start : parsePort(last, text);
  if (end < start) throw invalid("publish", text, "a range ends before it starts");
  return Array.from({ length: end - start + 1 }, (_, offset) => start + offset);
}

function parsePort(digits: string, text: string): number {
  const port = Number(digits);
  if (/^\d+$/.test(digits) && port >= 1 && port <= PORT_MAX) return port;
  throw invalid("publish", text, `'${digits}' is not a port between 1 and ${PORT_MAX}`);
}

/** `--network name` or `name=net,alias=a,alias=b`. */
export function parseNetwork(text: string): { Target: string; Aliases?: string[] } {
  if (!text.includes("=")) return { Target: text };
  const pairs = text.split(",").map((pair) => splitPair(pair));
  const target = pairs.find(([key]) => key === "name")?.[1];
  if (target === undefined) throw invalid("network", text, "name=NETWORK is missing");
  const aliases = pairs.filter(([key]) => key === "alias").map(([, alias]) => alias);
  return { Target: target, ...(aliases.length > 0 ? { Aliases: aliases } : {}) };
}

/** `--ulimit nofile=1024:2048`. */
export function parseUlimit(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw invalid("ulimit", text, "write it like nofile=1024:2048");
  const [, name = "", soft = "", hard = soft] = match;
  return { Name: name, Soft: Number(soft), Hard: Number(hard) };
}

/** `--placement-pref spread=node.labels.zone`. */
export function parsePreference(text: string): { Spread: { SpreadDescriptor: string } } {
  const [strategy, descriptor] = splitPair(text);
  if (strategy !== "spread" || descriptor === "")
    throw invalid("placement-pref", text, "write it like spread=node.labels.zone");
  return { Spread: { SpreadDescriptor: descriptor } };
}

/** "key=value" at its first `=`; without one the value is empty. */
export function splitPair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** `key=value` of each; undefined of none. */
export function mapOf(texts: readonly string[] | undefined): Record<string, string> | undefined {
  return texts === undefined ? undefined : Object.fromEntries(texts.map(splitPair));
}

/** `service=count` of `service scale`. */
export function parseScale(text: string): { readonly ref: string; readonly replicas: number } {
  const [ref, count] = splitPair(text);
  if (ref === "" || !text.includes("=")) throw invalid("scale", text, "write it like web=5");
  return { ref, replicas: parseCount(`number of replicas for ${ref}`, count) };
}

function parsePairs(text: string, known: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const pair of text.split(",")) {
    const [key, value] = splitPair(pair);
    const name = key.trim().toLowerCase();
    if (!known.includes(name))
      throw invalid("option", text, `'${key}' is not one of ${known.join(", ")}`);
    fields.set(name, value);
  }
  return fields;
}

function invalid(flag: string, text: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid ${flag} '${text}': ${why}`);
}
