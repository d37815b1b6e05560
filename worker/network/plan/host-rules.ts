import type { EndpointTable } from "../../../proto/gen/endpoints.ts";
import {
  type PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
} from "../../../proto/gen/objects.ts";
import { type Ruleset, toOneOf } from "../../../runtime/network/plan/ruleset.ts";
import { GATEWAY_BRIDGE, INGRESS_LINK, NFT_TABLE } from "./names.ts";
import { servingAddresses } from "./vip-rules.ts";

/** A port of this node that leads to one container on it. */
export interface HostPort {
  readonly port: PortConfig;
  /** The container's address on the local bridge. */
  readonly address: string;
}

export interface HostRulesInput {
  /** Subnet of the local bridge. */
  readonly gatewaySubnet: string;
  readonly hostPorts: readonly HostPort[];
  /** Absent until the node has an address on the ingress network. */
  readonly ingress:
    | {
        readonly table: EndpointTable;
        readonly address: string;
        /** Keys of ports that lead to somebody else here. */
        readonly withheld: ReadonlySet<string>;
      }
    | undefined;
}

/**
 * The rules of the daemon's namespace: published ports lead to endpoints, containers reach the outside.
 *
 * One lookup finds a port among any number. What is sent on over the ingress network gets the node's address there, so
 * that the answer comes back the same way. Connections from this machine (127.0.0.1:port) go through the same lookup.
 */
export function planHostRules(input: HostRulesInput): Ruleset {
  const ports = new Map<string, string>();
  const unserved = new Map<string, string>();
  const chains = new Map<string, readonly string[]>();
  for (const { port, addresses } of [...hostTargets(input), ...ingressTargets(input)]) {
    const protocol = protocolName(port);
    const key = portKey(protocol, port.publishedPort);
    if (addresses.length === 0) {
      unserved.set(key, "");
      continue;
    }
    const chain = `port_${protocol}_${port.publishedPort}`;
    ports.set(key, `goto ${chain}`);
    chains.set(chain, [toOneOf(addresses, { protocol, port: port.targetPort })]);
  }
  return {
    table: NFT_TABLE,
    sets: new Map([
      ["ports", "type inet_proto . inet_service : verdict;"],
      ["unserved", "type inet_proto . inet_service;"],
    ]),
    hooks: hostHooks(input),
    elements: new Map([
      ["ports", ports],
      ["unserved", unserved],
    ]),
    chains,
  };
}

/** A port in the rules' maps. */
export function portKey(protocol: string, port: number): string {
  return `${protocol} . ${port}`;
}

/** Ports of services that every node answers on. */
export function ingressPorts(table: EndpointTable): PortConfig[] {
  return table.services.flatMap(({ ports }) =>
    ports.filter((port) => port.publishMode !== PortConfig_PublishMode.HOST),
  );
}

/** As nft and Docker spell it. */
export function protocolName(port: PortConfig): "tcp" | "udp" | "sctp" {
  if (port.protocol === PortConfig_Protocol.UDP) return "udp";
  return port.protocol === PortConfig_Protocol.SCTP ? "sctp" : "tcp";
}

function hostHooks(input: HostRulesInput): Ruleset["hooks"] {
  const findPort = "fib daddr type local meta l4proto . th dport vmap @ports";
  const own = `ip saddr ${input.gatewaySubnet}`;
  const ingressReturn =
    input.ingress === undefined
      ? []
      : [`oifname "${INGRESS_LINK}" ct status dnat snat to ${input.ingress.address}`];
  return new Map([
    ["prerouting", ["type nat hook prerouting priority dstnat; policy accept;", findPort]],
    ["output", ["type nat hook output priority -100; policy accept;", findPort]],
    [
      "postrouting",
      [
        "type nat hook postrouting priority srcnat; policy accept;",
        ...ingressReturn,
        // To a port of this node from this node or from a neighbour container: the answer must pass here.
        `oifname "${GATEWAY_BRIDGE}" ct status dnat ip saddr 127.0.0.0/8 masquerade`,
        `oifname "${GATEWAY_BRIDGE}" ct status dnat ${own} masquerade`,
        `${own} oifname != "${GATEWAY_BRIDGE}" masquerade`,
      ],
    ],
    [
      "input",
      [
        "type filter hook input priority filter; policy accept;",
        // The node's foot in the ingress network is no way into the node.
        `iifname "${INGRESS_LINK}" ct state new drop`,
        "fib daddr type local meta l4proto . th dport @unserved meta l4proto tcp reject with tcp reset",
        "fib daddr type local meta l4proto . th dport @unserved reject",
      ],
    ],
    [
      "loopback",
      [
        "type filter hook prerouting priority raw; policy accept;",
        // 127.0.0.1:port needs route_localnet on these links, which must not let containers reach the loopback.
        `iifname { "${INGRESS_LINK}", "${GATEWAY_BRIDGE}" } ip daddr 127.0.0.0/8 drop`,
      ],
    ],
  ]);
}

interface PortTarget {
  readonly port: PortConfig;
  readonly addresses: readonly string[];
}

function hostTargets(input: HostRulesInput): PortTarget[] {
  return input.hostPorts.map(({ port, address }) => ({ port, addresses: [address] }));
}

function ingressTargets({ ingress }: HostRulesInput): PortTarget[] {
  if (ingress === undefined) return [];
  const { table, withheld } = ingress;
  const isOurs = (port: PortConfig) =>
    port.publishMode !== PortConfig_PublishMode.HOST &&
    !withheld.has(portKey(protocolName(port), port.publishedPort));
  return table.services.flatMap(({ ports, serviceId }) =>
    ports.filter(isOurs).map((port) => ({ port, addresses: servingAddresses(table, serviceId) })),
  );
}
