import { ClusterError } from "../../../core/errors.ts";
import {
  formatIp,
  holds,
  type IpFamily,
  type IpSubnet,
  parseIp,
  parseSubnet,
} from "../../../core/ip.ts";
import type { Attachment, EndpointConfig, LocalNetwork, Pool } from "../types.ts";
import { readEndpointOptions } from "./endpoint-options.ts";
import { isPredefined } from "./new-network.ts";

/** Addresses of containers in networks: which may be asked for, which is next. */

/**
 * The next free address after `after`, from the beginning again when the end is reached: one that was given back is not
 * given to somebody else at once.
 *
 * @returns undefined when all are taken.
 */
export function chooseAddress(
  pool: Pool,
  taken: ReadonlySet<string>,
  after: bigint,
): string | undefined {
  const subnet = subnetOf(pool);
  const range = pool.ipRange === "" ? subnet : (parseSubnet(pool.ipRange) ?? subnet);
  const first = range.first > subnet.first ? range.first : subnet.first + 1n;
  // IPv6 has no broadcast address.
  const holdsEnd = range.last === subnet.last && subnet.family === 4;
  const end = holdsEnd ? range.last - 1n : range.last;
  const count = end - first + 1n;
  const start = after >= first && after < end ? after + 1n - first : 0n;
  for (let step = 0n; step < count; step++) {
    const address = formatIp({ family: subnet.family, number: first + ((start + step) % count) });
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Addresses of a network that somebody has. */
export function takenAddresses(
  { id, ipv4, ipv6 }: LocalNetwork,
  attachments: Iterable<Attachment>,
): Set<string> {
  const taken = new Set<string>();
  for (const pool of [ipv4, ipv6])
    if (pool !== undefined)
      for (const address of [
        ...[pool.gateway, ...Object.values(pool.reserved)],
        ...ends(subnetOf(pool)),
      ])
        taken.add(address);
  for (const { endpoints } of attachments)
    for (const { networkId, address, ipv6: six } of endpoints) {
      if (networkId !== id) continue;
      taken.add(address);
      if (six !== undefined) taken.add(six.address);
    }
  return taken;
}

/** No container can be the network itself, or all of it; IPv6 has no address for that. */
function ends({ family, first, last }: IpSubnet): string[] {
  const numbers = family === 4 ? [first, last] : [first];
  return numbers.map((number) => formatIp({ family, number }));
}

export function subnetOf({ subnet }: Pool): IpSubnet {
  const parsed = parseSubnet(subnet);
  if (parsed !== undefined) return parsed;
  throw new ClusterError("DataLoss", `a network has no subnet but ${subnet.slice(0, 100)}`);
}

/**
 * Refuses what a container cannot have in this network, whoever is in it.
 *
 * @throws {ClusterError} InvalidArgument, PermissionDenied. Docker's words. Source: moby, daemon/container_operations.go.
 */
export function checkEndpointConfig(network: LocalNetwork, config: EndpointConfig): void {
  if (network.config !== undefined)
    throw new ClusterError(
      "PermissionDenied",
      `cannot create endpoint on configuration-only network ${network.name}`,
    );
  const asksAddress = config.ipv4 !== "" || config.ipv6 !== "";
  if (isPredefined(network.name)) {
    if (asksAddress)
      throw invalidSettings("user specified IP address is supported on user defined networks only");
    if (config.aliases.length > 0)
      throw invalid("network-scoped aliases are only supported for user-defined networks");
  }
  if (config.mac !== "" && network.driver === "ipvlan")
    throw invalid("ipvlan interfaces do not support custom mac address assignment");
  readEndpointOptions(config.driverOptions);
  checkAddress(4, config.ipv4, network.ipv4);
  checkAddress(6, config.ipv6, network.ipv6);
}

function checkAddress(family: IpFamily, address: string, pool: Pool | undefined): void {
  if (address === "") return;
  const ip = parseIp(address);
  if (ip === undefined || ip.family !== family)
    throw invalidSettings(`invalid IPv${family} address: ${address.slice(0, 100)}`);
  if (pool?.isChosen !== true)
    throw invalidSettings(
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
  if (!holds(subnetOf(pool), ip))
    throw invalidSettings(
      `no configured subnet or ip-range contain the IP address ${formatIp(ip)}`,
    );
}

/** Several could be told at once; so many are the lines below the first. */
function invalidSettings(reason: string): ClusterError {
  return invalid(`invalid endpoint settings:\n${reason}`);
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
