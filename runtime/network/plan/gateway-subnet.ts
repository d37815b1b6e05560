import { ClusterError } from "../../../core/errors.ts";
import { type Cidr, ipv4Address, overlaps, parseCidr } from "./cidr.ts";

/** Private subnets, without those Docker takes first (172.17–172.19). */
const LARGE = Array.from({ length: 12 }, (_, index) => `172.${20 + index}.0.0/16`);
const SMALL = Array.from({ length: 16 }, (_, index) => `192.168.${index * 16}.0/20`);
const FOR_GATEWAY = [...LARGE, ...SMALL];
/** Beginning elsewhere: the two seldom want the same. */
const FOR_NETWORKS = [...LARGE.slice(6), ...LARGE.slice(0, 6), ...SMALL];

/**
 * A subnet for the swarm's local bridge that nothing on this machine uses.
 *
 * @param taken subnets of addresses and routes.
 * @throws {ClusterError} `ResourceExhausted` when all are in use.
 */
export function chooseGatewaySubnet(taken: readonly Cidr[]): Cidr {
  return chooseOf(FOR_GATEWAY, taken, "the local bridge");
}

/** The same for a network of single containers. */
export function chooseNetworkSubnet(taken: readonly Cidr[]): Cidr {
  return chooseOf(FOR_NETWORKS, taken, "a network");
}

function chooseOf(candidates: readonly string[], taken: readonly Cidr[], what: string): Cidr {
  const free = candidates.map(parseCidr).find((one) => !taken.some((used) => overlaps(used, one)));
  if (free !== undefined) return free;
  throw new ClusterError(
    "ResourceExhausted",
    `cannot choose a subnet for ${what}: ${candidates.length} private ones are all routed elsewhere`,
  );
}

/** The bridge's own address: the first of its subnet. */
export function gatewayOf(subnet: Cidr): string {
  return ipv4Address(subnet.first + 1);
}

/**
 * The lowest address of the subnet that no container has.
 *
 * @throws {ClusterError} `ResourceExhausted` when there are `limit` containers already.
 */
export function freeAddress(subnet: Cidr, taken: ReadonlySet<string>, limit: number): string {
  for (let number = subnet.first + 2; number <= subnet.first + 1 + limit; number++) {
    const address = ipv4Address(number);
    if (number < subnet.last && !taken.has(address)) return address;
  }
  throw new ClusterError(
    "ResourceExhausted",
    `cannot give a container a local address: the node has ${taken.size} already`,
  );
}
