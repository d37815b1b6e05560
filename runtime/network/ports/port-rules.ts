import { fingerprint } from "../plan/link-names.ts";
import type { NftFamily, Ruleset } from "../plan/ruleset.ts";
import { isEverywhere } from "./host-port.ts";
import { type Leading, leadingOf } from "./leading.ts";
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
 * What may reach containers beside this is in plan/local-rules.ts. Of IPv6 the rules are those of containers that have it:
 * relay.ts has the others'.
 */
export function planPortRules(
  table: string,
  publications: readonly Publication[],
  family: NftFamily = "ip",
): Ruleset {
  const everywhere = new Map<string, string>();
  const somewhere = new Map<string, string>();
  const leading = publications.flatMap((one) => leadingOf(one, family) ?? []);
  for (const { address, ports } of leading)
    for (const { hostAddress, hostPort, protocol, port } of ports) {
      const key = `${protocol} . ${hostPort}`;
      const target = `${address} . ${port}`;
      if (isEverywhere({ hostAddress })) everywhere.set(key, target);
      else somewhere.set(`${hostAddress} . ${key}`, target);
    }
  const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const lookups = lookupsOf(family);
  return {
    table,
    family,
    sets: new Map([
      ["everywhere", `type inet_proto . inet_service : ${type} . inet_service;`],
      ["somewhere", `type ${type} . inet_proto . inet_service : ${type} . inet_service;`],
    ]),
    elements: new Map([
      ["everywhere", everywhere],
      ["somewhere", somewhere],
    ]),
    chains: new Map(),
    hooks: new Map([
      ["prerouting", ["type nat hook prerouting priority dstnat; policy accept;", ...lookups]],
      ["output", ["type nat hook output priority -100; policy accept;", ...lookups]],
      [
        "postrouting",
        [
          "type nat hook postrouting priority srcnat; policy accept;",
          ...bridgesOf(leading).map(
            ([bridge, subnet]) =>
              `oifname "${bridge}" ct status dnat ${family} saddr ${senders(family, subnet)} masquerade`,
          ),
        ],
      ],
    ]),
  };
}

/** The kernel leads nothing from ::1 or from an address of one link elsewhere: relay.ts does. */
function lookupsOf(family: NftFamily): string[] {
  const routed = family === "ip" ? "" : " ip6 daddr != { ::1, fe80::/10 } ip6 saddr != fe80::/10";
  const toUs = `fib daddr type local${routed} meta l4proto { tcp, udp, sctp }`;
  return [
    `${toUs} dnat ${family} to ${family} daddr . meta l4proto . th dport map @somewhere`,
    `${toUs} dnat ${family} to meta l4proto . th dport map @everywhere`,
  ];
}

/** Whose answers would go astray. */
function senders(family: NftFamily, subnet: string): string {
  return family === "ip" ? `{ 127.0.0.0/8, ${subnet} }` : subnet;
}

/** Each with its subnet, in an order that does not depend on who came first. */
function bridgesOf(leading: readonly Leading[]): [string, string][] {
  const bridges = new Map(leading.map(({ bridge, subnet }) => [bridge, subnet]));
  return [...bridges].sort(([a], [b]) => a.localeCompare(b));
}
