import { isIP, isIPv4 } from "node:net";
import { ClusterError } from "../../core/errors.ts";

/** Port of the managers, as in Swarm. */
export const MANAGER_PORT = 2377;

/** An address of this machine. */
export interface OwnAddress {
  readonly interfaceName: string;
  readonly address: string;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host[:port]`; an IPv6 host with a port stands in brackets.
 *
 * @throws {ClusterError} `InvalidArgument` naming what the address is for.
 */
export function parseHostPort(text: string, purpose: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? (isIP(text) === 6 ? text : undefined);
  const port = match?.[3] === undefined ? MANAGER_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65535) {
    throw new ClusterError(
      "InvalidArgument",
      `invalid ${purpose} '${text}': write it like 10.0.0.1 or 10.0.0.1:${MANAGER_PORT}`,
    );
  }
  return { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where this machine itself reaches what listens at `listenAddr`: the address others use may lead through a router. */
export function localAddr(listenAddr: string): string {
  const { host, port } = parseHostPort(listenAddr, "listen address");
  const own = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host];
  return formatHostPort({ host: own ?? host, port });
}

/**
 * Where managers listen.
 *
 * @param text what the user said; empty: all addresses.
 * @throws {ClusterError} `InvalidArgument` unless it is an IP address of this machine or a name of one of its interfaces.
 */
export function chooseListenAddr(text: string, own: readonly OwnAddress[]): HostPort {
  if (text === "") return { host: "0.0.0.0", port: MANAGER_PORT };
  const { host, port } = parseHostPort(text, "listen address");
  if (host === "0.0.0.0" || host === "::") return { host, port };
  return { host: ownAddress(host, own, "listen address"), port };
}

/**
 * Where other nodes reach this one.
 *
 * @param text what the user said: an IP address or interface with an optional port; empty: the only one there is.
 * @param listen gives the port unless the text does.
 * @throws {ClusterError} `InvalidArgument` when it cannot be one, or must be chosen from several.
 */
export function chooseAdvertiseAddr(
  text: string,
  listen: HostPort,
  own: readonly OwnAddress[],
): HostPort {
  if (text !== "") {
    const { host, port } = parseHostPort(text, "advertise address");
    const hasPort = /\]?:\d+$/.test(text) && isIP(text) !== 6;
    if (host === "0.0.0.0" || host === "::") {
      throw new ClusterError(
        "InvalidArgument",
        "advertise address must be a non-zero IP address or network interface (with optional port number)",
      );
    }
    const address = isIP(host) === 0 ? ownAddress(host, own, "advertise address") : host;
    return { host: address, port: hasPort ? port : listen.port };
  }
  if (listen.host !== "0.0.0.0" && listen.host !== "::") return listen;
  const candidates = own.filter(({ address }) => isIPv4(address) && !address.startsWith("127."));
  const [only, second] = candidates;
  if (only !== undefined && second === undefined) return { host: only.address, port: listen.port };
  if (only === undefined) {
    throw new ClusterError(
      "InvalidArgument",
      "could not find an IP address of this system to advertise - specify one with --advertise-addr",
    );
  }
  const list = candidates
    .map(({ address, interfaceName }) => `${address} on ${interfaceName}`)
    .join(" and ");
  throw new ClusterError(
    "InvalidArgument",
    `could not choose an IP address to advertise since this system has multiple addresses on different interfaces (${list}) - specify one with --advertise-addr`,
  );
}

function ownAddress(host: string, own: readonly OwnAddress[], purpose: string): string {
  if (isIP(host) !== 0) {
    if (own.some(({ address }) => address === host)) return host;
    throw new ClusterError(
      "InvalidArgument",
      `invalid ${purpose} '${host}': it is not an address of this machine`,
    );
  }
  const found = own.find(({ interfaceName, address }) => interfaceName === host && isIPv4(address));
  if (found !== undefined) return found.address;
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${purpose} '${host}': no interface of this name has an IPv4 address`,
  );
}
