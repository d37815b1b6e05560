import type { EndpointService, EndpointTable } from "../../../proto/gen/endpoints.ts";
import { isIpv4 } from "../../../runtime/network/plan/cidr.ts";
import { DNS_JUMP, type DnsPorts, dnsChain } from "../../../runtime/network/plan/dns-rules.ts";
import { type Ruleset, toOneOf } from "../../../runtime/network/plan/ruleset.ts";
import { NFT_TABLE } from "./names.ts";

/** VIPs that UDP was sent to from this namespace: whether its flows must be looked at when an endpoint goes. */
export const UDP_SEEN_SET = "udp_seen";

/**
 * The rules of one container's namespace: its networks' VIPs lead to serving endpoints, the name server's port to the
 * server.
 *
 * The address is chosen once for each flow, where it starts; a VIP without serving endpoints is refused at once instead
 * of leaving the client waiting.
 */
export function planVipRules(tables: readonly EndpointTable[], dns: DnsPorts): Ruleset {
  const vips = new Map<string, string>();
  const unserved = new Map<string, string>();
  const chains = new Map<string, readonly string[]>([["dns", dnsChain(dns)]]);
  for (const [vip, addresses] of tables.flatMap(vipTargets)) {
    if (addresses.length === 0) {
      unserved.set(vip, "");
      continue;
    }
    const chain = `vip_${vip.replaceAll(".", "_")}`;
    vips.set(vip, `goto ${chain}`);
    chains.set(chain, [`meta l4proto udp add @${UDP_SEEN_SET} { ip daddr }`, toOneOf(addresses)]);
  }
  return {
    table: NFT_TABLE,
    sets: new Map([
      ["vips", "type ipv4_addr : verdict;"],
      ["unserved", "type ipv4_addr;"],
      [UDP_SEEN_SET, "type ipv4_addr; size 65535; flags dynamic;"],
    ]),
    hooks: new Map([
      [
        "output",
        ["type nat hook output priority -100; policy accept;", DNS_JUMP, "ip daddr vmap @vips"],
      ],
      [
        "refuse",
        [
          "type filter hook output priority filter; policy accept;",
          "ip daddr @unserved meta l4proto tcp reject with tcp reset",
          "ip daddr @unserved reject with icmp type host-unreachable",
        ],
      ],
    ]),
    elements: new Map([
      ["vips", vips],
      ["unserved", unserved],
    ]),
    chains,
  };
}

/** Addresses of the service's endpoints that new connections may go to, in a fixed order. */
export function servingAddresses(table: EndpointTable, serviceId: string): string[] {
  return table.endpoints
    .filter((endpoint) => endpoint.serviceId === serviceId && endpoint.serving)
    .flatMap((endpoint) => endpoint.addresses.filter(isIpv4).slice(0, 1))
    .sort();
}

/** The VIPs of a network. Also those of DNSRR services, which have none, and of the ingress network, which nobody asks. */
function vipTargets(table: EndpointTable): [string, string[]][] {
  if (table.network?.ingress === true) return [];
  return table.services.flatMap((service: EndpointService) =>
    service.virtualIps
      .filter(isIpv4)
      .map((vip): [string, string[]] => [vip, servingAddresses(table, service.serviceId)]),
  );
}
