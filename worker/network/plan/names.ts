import { fingerprint, LINK_NAME_CHARS_MAX } from "../../../runtime/network/plan/link-names.ts";

/** Names of kernel objects: the same for the same ids on every start, so that what is found can be told apart. */

/** The node's local bridge: the containers' way out. In the daemon's namespace. */
export const GATEWAY_BRIDGE = "muster0";
/** The node's own foot in the ingress network. In the daemon's namespace. */
export const INGRESS_LINK = "muster-in";
/** The other end of `INGRESS_LINK`, at the ingress network's bridge. */
export const INGRESS_PORT = "ingress";
/** Ports of `GATEWAY_BRIDGE` start with it; nothing else in the daemon's namespace does. */
export const GATEWAY_PORT_PREFIX = "mgw";
/** One nftables table in each namespace we touch. */
export const NFT_TABLE = "muster";
/** File name of the namespace that holds bridges and tunnels; no sandbox id has an underscore. */
export const FABRIC_NAMESPACE = "_fabric";

const ID_CHARS = 12;

export function bridgeName(networkId: string): string {
  return `br-${networkId.slice(0, ID_CHARS)}`;
}

export function tunnelName(networkId: string): string {
  return `vx-${networkId.slice(0, ID_CHARS)}`;
}

/** The bridge's end of a sandbox's interface. */
export function portName(sandboxId: string, networkId: string): string {
  return `v${fingerprint(`${sandboxId}/${networkId}`)}`;
}

/** The local bridge's end of a sandbox's interface. */
export function gatewayPortName(sandboxId: string): string {
  return `${GATEWAY_PORT_PREFIX}${fingerprint(sandboxId)}`.slice(0, LINK_NAME_CHARS_MAX);
}
