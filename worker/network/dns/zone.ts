import type { EndpointService, EndpointTable } from "../../../proto/gen/endpoints.ts";
import { EndpointSpec_Mode } from "../../../proto/gen/objects.ts";
import { type Zone, ZoneBuilder } from "../../../runtime/network/dns/name-view.ts";
import { servingAddresses } from "../plan/vip-rules.ts";

/** Addresses of all serving tasks of a service, whatever its mode. */
const TASKS_PREFIX = "tasks.";

/**
 * Names of a network's services and tasks, each also with the network's name behind it.
 *
 * A service's name and aliases lead to its VIP, or to its serving endpoints if it has none. Services that share an alias
 * share its answers.
 */
export function planZone(table: EndpointTable): Zone {
  const zone = new ZoneBuilder(table.network?.name ?? "");
  // Nobody talks to anybody over the ingress network.
  if (table.network === undefined || table.network.ingress) return zone;
  for (const service of table.services) {
    const serving = servingAddresses(table, service.serviceId);
    const own = serviceAddresses(service, serving);
    for (const name of [service.name, ...service.aliases]) zone.add(name, own);
    zone.add(TASKS_PREFIX + service.name, serving);
    zone.name(service.virtualIps, service.name);
  }
  for (const endpoint of table.endpoints.filter((one) => one.serving)) {
    for (const alias of endpoint.aliases) zone.add(alias, endpoint.addresses);
    const [name] = endpoint.aliases;
    if (name !== undefined) zone.name(endpoint.addresses, name);
  }
  return zone;
}

/** The zone with a sandbox's own name. */
export function ownZone(hostname: string, addresses: readonly string[]): Zone {
  return { addresses: new Map([[hostname.toLowerCase(), addresses]]), names: new Map() };
}

function serviceAddresses(service: EndpointService, serving: readonly string[]): readonly string[] {
  const hasVip = service.mode !== EndpointSpec_Mode.DNSRR && service.virtualIps.length > 0;
  return hasVip ? service.virtualIps : serving;
}
