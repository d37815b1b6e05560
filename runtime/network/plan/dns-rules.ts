import type { Ruleset } from "./ruleset.ts";

/** Where a container's name server listens; Docker's address, in the container's resolv.conf. */
export const DNS_ADDRESS = "127.0.0.11";
const DNS_PORT = 53;
export const NAMES_TABLE = "muster_names";

/** Ports the name server really has: containers may want port 53 for themselves. */
export interface DnsPorts {
  readonly udp: number;
  readonly tcp: number;
}

/** The hook through which whatever a container sends to its name server's address comes to the chain of `dnsChain`. */
export const DNS_JUMP = `ip daddr ${DNS_ADDRESS} goto dns`;

export function dnsChain({ udp, tcp }: DnsPorts): readonly string[] {
  return [
    `udp dport ${DNS_PORT} dnat to ${DNS_ADDRESS}:${udp}`,
    `tcp dport ${DNS_PORT} dnat to ${DNS_ADDRESS}:${tcp}`,
  ];
}

/** The rules of a container that has names and nothing else. */
export function planDnsRules(ports: DnsPorts): Ruleset {
  return {
    table: NAMES_TABLE,
    sets: new Map(),
    elements: new Map(),
    chains: new Map([["dns", dnsChain(ports)]]),
    hooks: new Map([["output", ["type nat hook output priority -100; policy accept;", DNS_JUMP]]]),
  };
}
