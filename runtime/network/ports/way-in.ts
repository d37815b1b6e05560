import { readBridgeOptions } from "../plan/bridge-options.ts";
import { chooseGateway, chooseIpv6Gateway } from "../plan/gateway-choice.ts";
import type { Endpoint, LocalNetwork } from "../types.ts";
import type { InBridge } from "./types.ts";

/** Where published ports of a container lead to: one of its interfaces. */
export interface WayIn extends InBridge {
  readonly endpointId: string;
  /** Its way in for IPv6, maybe in another network; undefined: it has none. */
  readonly ipv6: InBridge | undefined;
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
  const ipv6 = chooseIpv6WayIn(endpoints, findNetwork, linkOf);
  return { endpointId, address, bridge: linkOf(network), link, subnet, hostAddress, ipv6 };
}

function chooseIpv6WayIn(
  endpoints: readonly Endpoint[],
  findNetwork: (id: string) => LocalNetwork | undefined,
  linkOf: (network: LocalNetwork) => string,
): InBridge | undefined {
  const endpoint = chooseIpv6Gateway(endpoints);
  const network = endpoint === undefined ? undefined : findNetwork(endpoint.networkId);
  if (endpoint?.ipv6 === undefined || network?.driver !== "bridge" || network.ipv6 === undefined)
    return undefined;
  const { address } = endpoint.ipv6;
  const { subnet } = network.ipv6;
  return { address, bridge: linkOf(network), link: endpoint.link, subnet };
}

/** Whether what is published by one way leads there by the other too. */
export function isSameWay(a: WayIn | undefined, b: WayIn | undefined): boolean {
  return a?.link === b?.link && a?.ipv6?.link === b?.ipv6?.link;
}
