import { ClusterError } from "../../../core/errors.ts";
import { formatIp, parseIp } from "../../../core/ip.ts";
import type { Endpoint, EndpointConfig, LocalNetwork, Pool } from "../types.ts";
import { chooseAddress, subnetOf } from "./addresses.ts";
import { portLinkName } from "./bridge.ts";
import { readBridgeOptions } from "./bridge-options.ts";
import { readEndpointOptions, sysctlsOf } from "./endpoint-options.ts";
import { macOf } from "./link-names.ts";
import { findSharedLink } from "./shared-link.ts";

/** What a new endpoint is made of beside what is asked for. */
export interface EndpointParts {
  /** 64 hexadecimal characters, at random. */
  readonly id: string;
  /** Hexadecimal, at random: of what the bridge's end has its name. */
  readonly portSeed: string;
  readonly taken: ReadonlySet<string>;
  /** The addresses given last, as numbers. */
  readonly lastIpv4: bigint;
  readonly lastIpv6: bigint;
  /** Names of the container's interfaces that are not free. */
  readonly interfaces: ReadonlySet<string>;
}

const INTERFACES_MAX = 128;

/**
 * A container's endpoint in a network.
 *
 * @throws {ClusterError} ResourceExhausted when the network has no address left; PermissionDenied when somebody has the
 *   one that is asked for. Docker's words.
 */
export function planEndpoint(
  network: LocalNetwork,
  config: EndpointConfig,
  parts: EndpointParts,
): Endpoint {
  const { ipv4, ipv6, internal } = network;
  const shared = findSharedLink(network);
  const hasGateway = !internal && shared?.isRouted !== true;
  if (ipv4 === undefined)
    throw new ClusterError("Internal", `network ${network.name} has no addresses to give`);
  const options = readEndpointOptions(config.driverOptions);
  const own = chooseInterface(network, options.interfaceName, parts.interfaces);
  const sysctls = sysctlsOf(options, own);
  const address = give(network, ipv4, config.ipv4, parts.taken, parts.lastIpv4);
  return {
    id: parts.id,
    networkId: network.id,
    networkName: network.name,
    address,
    prefixLength: subnetOf(ipv4).prefixLength,
    gateway: hasGateway ? ipv4.gateway : "",
    ...(config.linkLocal === undefined ? {} : { linkLocal: config.linkLocal }),
    ...(shared?.isRouted === true && !internal ? { isRouted: true } : {}),
    ipv6: ipv6 && {
      address: give(network, ipv6, config.ipv6, parts.taken, parts.lastIpv6),
      prefixLength: subnetOf(ipv6).prefixLength,
      gateway: hasGateway ? ipv6.gateway : "",
    },
    mac: shared?.kind === "ipvlan" ? "" : config.mac || macOf(address),
    link: network.driver === "bridge" ? portLinkName(parts.portSeed) : "",
    interface: own,
    aliases: config.aliases,
    links: config.links,
    gatewayPriority: config.gatewayPriority,
    ...(options.sysctls.length === 0 ? {} : { sysctls }),
  };
}

function give(
  { name }: LocalNetwork,
  pool: Pool,
  asked: string,
  taken: ReadonlySet<string>,
  after: bigint,
): string {
  if (asked !== "") {
    const ip = parseIp(asked);
    const address = ip === undefined ? asked : formatIp(ip);
    if (!taken.has(address)) return address;
    throw new ClusterError("PermissionDenied", "Address already in use", {
      details: { address, network: name },
    });
  }
  const address = chooseAddress(pool, taken, after);
  if (address !== undefined) return address;
  throw new ClusterError(
    "ResourceExhausted",
    `no available IPv${subnetOf(pool).family} addresses on this network's address pools: ${name}`,
  );
}

/** The one that is asked for; else `eth0`, or the next that is free. */
function chooseInterface(network: LocalNetwork, asked: string, used: ReadonlySet<string>): string {
  if (used.has(asked))
    throw new ClusterError(
      "InvalidArgument",
      `cannot call the interface in network ${network.name} ${asked}: the container has another of that name`,
    );
  if (asked !== "") return asked;
  const { interfacePrefix } = readBridgeOptions(network.options);
  for (let number = 0; number < INTERFACES_MAX; number++)
    if (!used.has(`${interfacePrefix}${number}`)) return `${interfacePrefix}${number}`;
  throw new ClusterError("ResourceExhausted", `a container has ${INTERFACES_MAX} networks already`);
}
