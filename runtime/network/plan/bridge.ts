import { fingerprint, LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** Names of what local networks are made of: the same on every start of the same daemon, others for another's data root. */

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
