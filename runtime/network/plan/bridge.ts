import type { Attachment, LocalNetwork } from "../types.ts";
import { type Cidr, ipv4Address, parseCidr } from "./cidr.ts";
import { fingerprint, LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** Names and addresses of local networks: the same on every start of the same daemon, others for another's data root. */

const BRIDGE_PREFIX = "mbr";
const PORT_PREFIX = "mv";
const PORT_BYTES = 6;

/** The bridge's link. */
export function bridgeLinkName(dataRoot: string, networkId: string): string {
  return `${BRIDGE_PREFIX}${fingerprint(`${dataRoot}/${networkId}`)}`.slice(0, LINK_NAME_CHARS_MAX);
}

/** The bridge's end of a container's interface; never used twice, for the kernel takes its time to remove one. */
export function portLinkName(randomHex: string): string {
  return `${PORT_PREFIX}${randomHex.slice(0, 2 * PORT_BYTES)}`;
}

/** The nftables table of all local networks of one daemon. */
export function localTableName(dataRoot: string): string {
  return `muster_local_${fingerprint(dataRoot)}`;
}

/**
 * The next free address after `after`, from the beginning again when the end is reached: one that was given back is not
 * given to somebody else at once.
 *
 * @returns undefined when all are taken.
 */
export function chooseAddress(
  subnet: Cidr,
  taken: ReadonlySet<string>,
  after: number,
): string | undefined {
  const first = subnet.first + 1;
  const count = subnet.last - first;
  const start = after >= first && after < subnet.last ? after + 1 - first : 0;
  for (let step = 0; step < count; step++) {
    const address = ipv4Address(first + ((start + step) % count));
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Addresses of a network that somebody has. */
export function takenAddresses(
  network: LocalNetwork,
  attachments: Iterable<Attachment>,
): Set<string> {
  const taken = new Set([network.gateway]);
  for (const { endpoint } of attachments)
    if (endpoint.networkId === network.id) taken.add(endpoint.address);
  return taken;
}

export function subnetOf(network: LocalNetwork): Cidr {
  return parseCidr(network.subnet);
}
