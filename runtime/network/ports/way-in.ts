import { readBridgeOptions } from "../plan/bridge-options.ts";
import { chooseGateway } from "../plan/gateway-choice.ts";
import type { Endpoint, LocalNetwork } from "../types.ts";

/** Where published ports of a container lead to: one of its interfaces. */
export interface WayIn {
  readonly endpointId: string;
  /** The container's, in this network. */
  readonly address: string;
  /** The link of the bridge, and of the interface's port in it. */
  readonly bridge: string;
  readonly link: string;
  /** The bridge's, "172.26.0.0/16". */
  readonly subnet: string;
  /** Address of this machine for ports that name none; empty: every one. */
  readonly hostAddress: string;
}

/**
 * The way in is the way out: who asks by a port of this machine is answered by the default gateway.
 *
 * @returns undefined where that is no bridge of this machine: nothing can be published then.
 */
export function chooseWayIn(
  endpoints: readonly Endpoint[],
  findNetwork: (id: string) => LocalNetwork | undefined,
  linkOf: (network: LocalNetwork) => string,
): WayIn | undefined {
  const endpoint = chooseGateway(endpoints);
  const network = endpoint === undefined ? undefined : findNetwork(endpoint.networkId);
  if (endpoint === undefined || network?.driver !== "bridge" || network.ipv4 === undefined)
    return undefined;
  const { id: endpointId, address, link } = endpoint;
  const { hostAddress } = readBridgeOptions(network.options);
  const { subnet } = network.ipv4;
  return { endpointId, address, bridge: linkOf(network), link, subnet, hostAddress };
}
