import { ClusterError } from "../../core/errors.ts";
import { splitPair } from "../flags/parse.ts";

/** A port of a container and where on the host it is. */
export interface PortBinding {
  /** `80/tcp`. */
  readonly port: string;
  readonly HostIp: string;
  /** A port, a range to choose from, or empty: any. */
  readonly HostPort: string;
}

const PORT_MAX = 65_535;
const LONG_KEYS = ["published", "target", "protocol", "mode"];
const PATTERN =
  /^(?:(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]*):)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp|sctp))?$/;

/**
 * Reads `[[address:][port]:]container port[/protocol]`, where both ports may be ranges; a range on the host for a single
 * port is one to choose from.
 *
 * @throws {ClusterError} `InvalidArgument`. Source: docker/go-connections, nat.ParsePortSpec.
 */
export function parsePortBindings(text: string): PortBinding[] {
  if (text.includes("=")) return parsePortBindings(shortForm(text));
  const match = PATTERN.exec(text);
  if (match === null) throw refusal(text, "write it like 8080:80, 127.0.0.1:8080:80/udp or 80");
  const [, address = "", host, inside = "", protocol = "tcp"] = match;
  const ports = range(inside, text);
  // 0 is any.
  const hosts = host === undefined || host === "0" ? undefined : range(host, text);
  if (hosts !== undefined && ports.length > 1 && hosts.length !== ports.length)
    throw refusal(text, "the ranges differ in length");
  const HostIp = address.replace(/^\[|\]$/g, "");
  return ports.map((port, at) => ({
    port: `${port}/${protocol}`,
    HostIp,
    HostPort: ports.length === 1 ? (host ?? "") : String(hosts?.[at] ?? ""),
  }));
}

/** `published=8080,target=80,protocol=tcp` as `8080:80/tcp`. */
function shortForm(text: string): string {
  const fields = new Map(text.split(",").map((field) => splitPair(field)));
  const unknown = [...fields.keys()].find((key) => !LONG_KEYS.includes(key));
  if (unknown !== undefined)
    throw refusal(text, `'${unknown}' is not one of ${LONG_KEYS.join(", ")}`);
  const published = fields.get("published") ?? "";
  return `${published}:${fields.get("target") ?? ""}/${fields.get("protocol") ?? "tcp"}`;
}

/** Reads `--expose`: `80`, `80-82/udp`. @returns ports as in {@link PortBinding}. @throws {ClusterError} `InvalidArgument`. */
export function parseExposed(text: string): string[] {
  const [, ports, protocol = "tcp"] = /^(\d+(?:-\d+)?)(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (ports === undefined) throw refusal(text, "write it like 80 or 80-82/udp");
  return range(ports, text).map((port) => `${port}/${protocol}`);
}

function range(text: string, whole: string): number[] {
  const [first = 0, last = first] = text.split("-").map(Number);
  if (first < 1 || last > PORT_MAX || last < first)
    throw refusal(whole, `'${text}' is not a range between 1 and ${PORT_MAX}`);
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
}

function refusal(text: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid port '${text}': ${why}`);
}
