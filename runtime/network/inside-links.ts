import { existsSync } from "node:fs";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { parseIp } from "../../core/ip.ts";
import { decodeLink, deleteLinks, dumpLinks, setUp } from "../linux/netlink/link.ts";
import { addAddress, addRoute } from "../linux/netlink/route.ts";
import { isGone, NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { inNamespace } from "../linux/netns.ts";
import { setSysctl } from "../linux/sysctl.ts";
import { chooseGateway, chooseIpv6Gateway } from "./plan/gateway-choice.ts";
import type { Endpoint } from "./types.ts";

/** Source: moby, libnetwork/endpoint.go. */
const LINK_LOCAL_PREFIX = { 4: 16, 6: 64 } as const;

/**
 * Brings a container's interfaces to what its endpoints say: addresses, up, and the way out. What is so already stays.
 *
 * Interfaces of endpoints that are not there are passed over.
 */
export function settleInside(namespaceFd: number, endpoints: readonly Endpoint[]): void {
  const socket = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Route));
  try {
    const indexes = new Map(
      socket
        .dump(dumpLinks())
        .map(decodeLink)
        .map(({ name, index }) => [name, index]),
    );
    const out = chooseGateway(endpoints);
    const steps = endpoints.flatMap((endpoint) => {
      const index = indexes.get(endpoint.interface);
      if (index === undefined) return [];
      const { address, prefixLength, gateway } = endpoint;
      const route = { destination: "0.0.0.0", prefixLength: 0, gateway, index };
      return [
        addAddress({ index, address, prefixLength }),
        ...linkLocalOf(endpoint, 4).map((one) => addAddress({ index, ...one })),
        setUp(index),
        ...(endpoint === out ? [addRoute(route)] : []),
      ];
    });
    socket.run(steps);
    const six = endpoints.filter(
      (one) => ipv6AddressesOf(one).length > 0 && indexes.has(one.interface),
    );
    if (six.length > 0) settleIpv6(socket, namespaceFd, { endpoints: six, indexes });
    const settings = endpoints
      .filter((one) => indexes.has(one.interface))
      .flatMap(({ sysctls = {} }) => Object.entries(sysctls));
    if (settings.length > 0) inNamespace(namespaceFd, () => applySettings(settings));
  } finally {
    socket.close();
  }
}

/** @throws {ClusterError} FailedPrecondition when the kernel has no such setting, or not this value. */
function applySettings(settings: readonly (readonly [string, string])[]): void {
  for (const [path, value] of settings) {
    if (!existsSync(`/proc/sys/${path}`))
      throw new ClusterError("FailedPrecondition", `this machine's kernel has no sysctl ${path}`);
    try {
      setSysctl(path, value);
    } catch (error) {
      throw new ClusterError(
        "FailedPrecondition",
        `cannot set sysctl ${path} to ${value}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }
}

/** Removes an interface of a container. No error when there is none. */
export function removeInside(namespaceFd: number, name: string): void {
  const socket = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Route));
  try {
    const links = socket.dump(dumpLinks()).map(decodeLink);
    const link = links.filter((one) => one.name === name);
    const failed = socket.batch(deleteLinks(link, 0)).find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
  } finally {
    socket.close();
  }
}

/** Whether this machine's kernel knows IPv6. */
export function hasIpv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

/** The same for IPv6, which a container has where its networks have it and nowhere else. */
function settleIpv6(
  socket: NetlinkSocket,
  namespaceFd: number,
  {
    endpoints,
    indexes,
  }: { readonly endpoints: readonly Endpoint[]; readonly indexes: ReadonlyMap<string, number> },
): void {
  inNamespace(namespaceFd, () => {
    for (const name of ["lo", ...endpoints.map((one) => one.interface)]) {
      setSysctl(`net/ipv6/conf/${name}/accept_ra`, "0");
      setSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "0");
    }
  });
  const out = chooseIpv6Gateway(endpoints);
  socket.run(
    endpoints.flatMap((endpoint) => {
      const { ipv6, interface: name } = endpoint;
      const index = indexes.get(name);
      if (index === undefined) return [];
      const route = { destination: "::", prefixLength: 0, gateway: ipv6?.gateway ?? "", index };
      return [
        ...ipv6AddressesOf(endpoint).map((one) => addAddress({ index, ...one })),
        ...(endpoint === out ? [addRoute(route)] : []),
      ];
    }),
  );
}

interface Prefixed {
  readonly address: string;
  readonly prefixLength: number;
}

function ipv6AddressesOf(endpoint: Endpoint): Prefixed[] {
  const own = endpoint.ipv6 === undefined ? [] : [endpoint.ipv6];
  const all = [...own, ...linkLocalOf(endpoint, 6)];
  return all.map(({ address, prefixLength }) => ({ address, prefixLength }));
}

function linkLocalOf({ linkLocal = [] }: Endpoint, family: 4 | 6): Prefixed[] {
  return linkLocal
    .filter((address) => parseIp(address)?.family === family)
    .map((address) => ({ address, prefixLength: LINK_LOCAL_PREFIX[family] }));
}
