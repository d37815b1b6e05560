import { formatIp, parseIp } from "../../../core/ip.ts";
import { ANY_ADDRESS, ANY_IPV6 } from "./host-port.ts";
import { noIpv6 } from "./publish-errors.ts";
import type { PortBinding } from "./types.ts";
import type { WayIn } from "./way-in.ts";

/** A binding with the addresses of this machine where the port is to be had, at least one. */
export interface PlacedBinding extends Omit<PortBinding, "hostAddress"> {
  readonly hostAddresses: readonly string[];
}

/**
 * Says at which addresses of this machine a port is: who names none means every one, of IPv6 too.
 *
 * @param listensOnIpv6 whether this machine has IPv6.
 * @throws {ClusterError} InvalidArgument when one of IPv6 cannot lead there. Docker's words. Pure.
 *   Source: moby, libnetwork/drivers/bridge, configurePortBindingIPv6.
 */
export function placeBinding(
  { hostAddress, ...binding }: PortBinding,
  { hostAddress: usual, ipv6 }: Pick<WayIn, "hostAddress" | "ipv6">,
  listensOnIpv6: boolean,
): PlacedBinding {
  const isLed = ipv6 !== undefined || isRelayed(binding);
  const ip = parseIp(hostAddress);
  if (ip?.family === 6 && !isLed) throw noIpv6(hostAddress);
  if (ip !== undefined) return { ...binding, hostAddresses: [formatIp(ip)] };
  if (usual !== "" && usual !== ANY_ADDRESS) return { ...binding, hostAddresses: [usual] };
  const six = listensOnIpv6 && isLed ? [ANY_IPV6] : [];
  return { ...binding, hostAddresses: [ANY_ADDRESS, ...six] };
}

/** Whether a port of IPv6 leads to a container by relay.ts. */
export function isRelayed({ protocol }: Pick<PortBinding, "protocol">): boolean {
  return protocol !== "sctp";
}
