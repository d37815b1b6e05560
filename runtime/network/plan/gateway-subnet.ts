import { ClusterError } from "../../../core/errors.ts";
import { type Cidr, ipv4Address, overlaps, parseCidr } from "./cidr.ts";

/** Private subnets for the local bridge, beside those Docker takes first (172.17–172.19). */
const CANDIDATES = [
  ...Array.from({ length: 12 }, (_, index) => `172.${20 + index}.0.0/16`),
  ...Array.from({ length: 16 }, (_, index) => `192.168.${index * 16}.0/20`),
];

/**
 * A subnet for the local bridge that nothing on this machine uses.
 *
 * @param taken subnets of addresses and routes.
 * @throws {ClusterError} `ResourceExhausted` when all are in use.
 */
export function chooseGatewaySubnet(taken: readonly Cidr[]): Cidr {
  const free = CANDIDATES.map(parseCidr).find((one) => !taken.some((used) => overlaps(used, one)));
  if (free !== undefined) return free;
  throw new ClusterError(
    "ResourceExhausted",
    `cannot choose a subnet for the local bridge: ${CANDIDATES.length} private ones are all routed elsewhere`,
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
