import type { Endpoint } from "../types.ts";

/**
 * The endpoint that leads out of a container: the greatest priority, then one that carries both families, then the first
 * name.
 *
 * @returns undefined when no network has a way out. Source: moby, libnetwork, Endpoint.Less.
 */
export function chooseGateway(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints
    .filter(({ gateway, isRouted }) => gateway !== "" || isRouted === true)
    .sort(byPreference)[0];
}

/** The same for IPv6, whose way out may be another network's. */
export function chooseIpv6Gateway(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints
    .filter(({ ipv6, isRouted }) => ipv6 !== undefined && (ipv6.gateway !== "" || isRouted))
    .sort(byPreference)[0];
}

function byPreference(a: Endpoint, b: Endpoint): number {
  if (a.gatewayPriority !== b.gatewayPriority) return b.gatewayPriority - a.gatewayPriority;
  if ((a.ipv6 === undefined) !== (b.ipv6 === undefined)) return a.ipv6 === undefined ? 1 : -1;
  return a.networkName < b.networkName ? -1 : 1;
}
