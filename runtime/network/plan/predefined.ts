import { DEFAULT_NETWORK, type LocalNetwork, type Pool } from "../types.ts";
import { type Cidr, ipv4Address, overlaps, parseCidr } from "./cidr.ts";
import { chooseNetworkSubnet, gatewayOf } from "./gateway-subnet.ts";

/** What is missing or must change of the networks that every machine has. */
export function planPredefined(
  known: readonly LocalNetwork[],
  facts: {
    /** Networks that containers are in. */
    readonly usedNetworkIds: ReadonlySet<string>;
    /** Subnets that this machine uses otherwise. */
    readonly taken: readonly Cidr[];
    readonly newId: () => string;
    readonly nowMs: number;
  },
): LocalNetwork[] {
  const named = (name: string) => known.find((one) => one.name === name);
  const planned = [planBridge(known, named(DEFAULT_NETWORK), facts)];
  for (const [name, driver] of [["host", "host"] as const, ["none", "null"] as const])
    if (named(name) === undefined)
      planned.push({
        ...{ id: facts.newId(), name, createdAtMs: facts.nowMs, driver },
        ...{ ipv4: undefined, ipv6: undefined, ...PLAIN },
      });
  return planned.filter((network) => network !== undefined);
}

const PLAIN = { internal: false, attachable: false, labels: {}, options: {} };

/** The default network keeps its subnet as long as nobody else uses it. */
function planBridge(
  known: readonly LocalNetwork[],
  found: LocalNetwork | undefined,
  facts: Parameters<typeof planPredefined>[1],
): LocalNetwork | undefined {
  const others = known.filter((one) => one !== found).flatMap(subnetsOf);
  const taken = [...facts.taken, ...others];
  if (found !== undefined) {
    const isFree = !subnetsOf(found).some((own) => taken.some((one) => overlaps(own, one)));
    if (isFree || facts.usedNetworkIds.has(found.id)) return undefined;
  }
  const subnet = chooseNetworkSubnet(taken);
  return {
    id: found?.id ?? facts.newId(),
    name: DEFAULT_NETWORK,
    createdAtMs: found?.createdAtMs ?? facts.nowMs,
    driver: "bridge",
    ipv4: poolOf(subnet),
    ipv6: undefined,
    ...PLAIN,
  };
}

/** Addresses of a subnet that was found, not asked for. */
export function poolOf(subnet: Cidr): Pool {
  return {
    subnet: `${ipv4Address(subnet.first)}/${subnet.prefixLength}`,
    gateway: gatewayOf(subnet),
    ipRange: "",
    reserved: {},
    isChosen: false,
  };
}

/** The IPv4 subnets that a network takes from others. */
export function subnetsOf({ ipv4, config }: LocalNetwork): Cidr[] {
  return ipv4 === undefined || config !== undefined ? [] : [parseCidr(ipv4.subnet)];
}
