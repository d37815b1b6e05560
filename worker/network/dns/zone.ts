import type { EndpointService, EndpointTable } from "../../../proto/gen/endpoints.ts";
import { EndpointSpec_Mode } from "../../../proto/gen/objects.ts";
import { servingAddresses } from "../plan/vip-rules.ts";

/** The names of one network at one version of its table: computed whole, then only read. Pure. */
export interface Zone {
  /** Addresses by lower-case name; no address: the name is known and nobody serves it now. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Name by address. */
  readonly names: ReadonlyMap<string, string>;
}

/** Addresses of all serving tasks of a service, whatever its mode. */
const TASKS_PREFIX = "tasks.";

/**
 * Names of a network's services and tasks, each also with the network's name behind it.
 *
 * A service's name and aliases lead to its VIP, or to its serving endpoints if it has none. Services that share an alias
 * share its answers.
 */
export function planZone(table: EndpointTable): Zone {
  const addresses = new Map<string, string[]>();
  const names = new Map<string, string>();
  // Nobody talks to anybody over the ingress network.
  if (table.network === undefined || table.network.ingress) return { addresses, names };
  const suffix = table.network.name.toLowerCase();

  const add = (name: string, found: readonly string[]) => {
    for (const key of [name.toLowerCase(), `${name.toLowerCase()}.${suffix}`])
      addresses.set(key, [...new Set([...(addresses.get(key) ?? []), ...found])]);
  };
  for (const service of table.services) {
    const serving = servingAddresses(table, service.serviceId);
    const own = serviceAddresses(service, serving);
    for (const name of [service.name, ...service.aliases]) add(name, own);
    add(TASKS_PREFIX + service.name, serving);
    for (const address of service.virtualIps) names.set(address, `${service.name}.${suffix}`);
  }
  for (const endpoint of table.endpoints.filter((one) => one.serving)) {
    for (const alias of endpoint.aliases) add(alias, endpoint.addresses);
    const [name] = endpoint.aliases;
    if (name !== undefined)
      for (const address of endpoint.addresses) names.set(address, `${name}.${suffix}`);
  }
  return { addresses, names };
}

/** The names a sandbox knows: those of its networks, in the order of its interfaces, after its own. */
export class NameView {
  readonly #zones: readonly Zone[];

  constructor(zones: readonly Zone[]) {
    this.#zones = zones;
  }

  /** Addresses of a name in any case; undefined when it is none of the swarm's. */
  findAddresses(name: string): readonly string[] | undefined {
    const key = name.toLowerCase();
    return this.#zones.find((zone) => zone.addresses.has(key))?.addresses.get(key);
  }

  findName(address: string): string | undefined {
    return this.#zones.find((zone) => zone.names.has(address))?.names.get(address);
  }
}

/** The zone with a sandbox's own name. */
export function ownZone(hostname: string, addresses: readonly string[]): Zone {
  return { addresses: new Map([[hostname.toLowerCase(), addresses]]), names: new Map() };
}

function serviceAddresses(service: EndpointService, serving: readonly string[]): readonly string[] {
  const hasVip = service.mode !== EndpointSpec_Mode.DNSRR && service.virtualIps.length > 0;
  return hasVip ? service.virtualIps : serving;
}
