import { fingerprint } from "../plan/link-names.ts";
import type { Ruleset } from "../plan/ruleset.ts";
import { ANY_ADDRESS } from "./host-port.ts";
import type { Publication } from "./types.ts";

/** The nftables table of all published ports of one daemon. */
export function portTableName(dataRoot: string): string {
  return `muster_ports_${fingerprint(dataRoot)}`;
}

/**
 * The rules of published ports: a packet to a port of this machine goes to the container, whoever sends it and whether or
 * not a daemon runs.
 *
 * One lookup finds a port among any number; a port of one address comes before that of all. Who sees the answer come from
 * somewhere else than it has asked would not take it, so what a container sends to a neighbour of its own bridge, or this
 * machine from its loopback, is answered by way of this machine.
 *
 * What may reach containers beside this is in plan/local-rules.ts.
 */
export function planPortRules(table: string, publications: readonly Publication[]): Ruleset {
  const everywhere = new Map<string, string>();
  const somewhere = new Map<string, string>();
  for (const { address, ports } of publications)
    for (const { hostAddress, hostPort, protocol, port } of ports) {
      const key = `${protocol} . ${hostPort}`;
      const target = `${address} . ${port}`;
      if (hostAddress === ANY_ADDRESS) everywhere.set(key, target);
      else somewhere.set(`${hostAddress} . ${key}`, target);
    }
  return {
    table,
    sets: new Map([
      ["everywhere", "type inet_proto . inet_service : ipv4_addr . inet_service;"],
      ["somewhere", "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;"],
    ]),
    elements: new Map([
      ["everywhere", everywhere],
      ["somewhere", somewhere],
    ]),
    chains: new Map(),
    hooks: new Map([
      ["prerouting", ["type nat hook prerouting priority dstnat; policy accept;", ...LOOKUPS]],
      ["output", ["type nat hook output priority -100; policy accept;", ...LOOKUPS]],
      [
        "postrouting",
        [
          "type nat hook postrouting priority srcnat; policy accept;",
          ...bridgesOf(publications).map(
            ([bridge, subnet]) =>
              `oifname "${bridge}" ct status dnat ip saddr { 127.0.0.0/8, ${subnet} } masquerade`,
          ),
        ],
      ],
    ]),
  };
}

const TO_US = "fib daddr type local meta l4proto { tcp, udp, sctp }";
const LOOKUPS = [
  `${TO_US} dnat ip to ip daddr . meta l4proto . th dport map @somewhere`,
  `${TO_US} dnat ip to meta l4proto . th dport map @everywhere`,
];

/** Each with its subnet, in an order that does not depend on who came first. */
function bridgesOf(publications: readonly Publication[]): [string, string][] {
  const bridges = new Map(publications.map(({ bridge, subnet }) => [bridge, subnet]));
  return [...bridges].sort(([a], [b]) => a.localeCompare(b));
}
