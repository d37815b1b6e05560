import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { decodeLink, dumpLinks, type Link, setUp } from "../../runtime/linux/netlink/link.ts";
import {
  addAddress,
  decodeAddress,
  decodeRoute,
  deleteAddress,
  dumpAddresses,
  dumpRoutes,
  type InterfaceAddress,
} from "../../runtime/linux/netlink/route.ts";
import type { NetlinkSocket } from "../../runtime/linux/netlink/socket.ts";
import { setSysctl } from "../../runtime/linux/sysctl.ts";
import { type Cidr, parseCidr } from "../../runtime/network/plan/cidr.ts";
import { planForwardRules } from "../../runtime/network/plan/forward-rules.ts";
import { chooseGatewaySubnet, gatewayOf } from "../../runtime/network/plan/gateway-subnet.ts";
import { RuleSpace } from "../../runtime/network/rule-space.ts";
import { LinkSpace } from "./link-space.ts";
import { type HostRulesInput, planHostRules } from "./plan/host-rules.ts";
import type { PairLink } from "./plan/layout.ts";
import { GATEWAY_BRIDGE, GATEWAY_PORT_PREFIX, INGRESS_LINK, NFT_TABLE } from "./plan/names.ts";
import { type Gateway, type PlacedSandbox, planGateway } from "./plan/sandbox-links.ts";

const ETHERNET_MTU = 1500;
const FORWARDING = [GATEWAY_BRIDGE, INGRESS_LINK];

export interface HostOptions {
  /** A route socket of the daemon's own namespace. */
  readonly socket: NetlinkSocket;
  readonly namespaceFd: number;
  readonly openPeer: (peer: PairLink["peer"]["namespace"]) => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The daemon's own network namespace: the local bridge, the foot in the ingress network, the rules of published ports. */
export class Host {
  readonly #options: HostOptions;
  readonly #links: LinkSpace;
  readonly #rules: RuleSpace;
  readonly gateway: Gateway;

  /** Makes the local bridge, or takes over the one there is with its subnet. */
  constructor(options: HostOptions) {
    this.#options = options;
    this.#links = new LinkSpace({
      socket: options.socket,
      underlay: options.socket,
      namespaceFd: options.namespaceFd,
      owns: isGatewayLink,
      openPeer: options.openPeer,
    });
    this.#rules = new RuleSpace(options.namespaceFd, NFT_TABLE);
    const subnet = this.#findGatewaySubnet() ?? chooseGatewaySubnet(this.#takenSubnets());
    this.gateway = { subnet, address: gatewayOf(subnet), mtu: ETHERNET_MTU };
    this.refresh();
  }

  /** Reads the kernel again: what has gone is made again by the next `apply…`. */
  refresh(): void {
    this.#links.refresh();
  }

  /** MTU of the interface with this address; Ethernet's when there is none such. */
  underlayMtu(address: string): number {
    const { socket } = this.#options;
    const addresses = socket.dump(dumpAddresses()).map(decodeAddress);
    const index = addresses.find((entry) => entry.address === address)?.index;
    const link = this.#linkList().find((one) => one.index === index);
    return link?.mtu ?? ETHERNET_MTU;
  }

  /** The local bridge with a port for each sandbox. @returns names of links made. */
  applyGateway(sandboxes: readonly PlacedSandbox[]): string[] {
    const made = this.#links.apply(GATEWAY_BRIDGE, planGateway(sandboxes, this.gateway));
    if (made.includes(GATEWAY_BRIDGE)) {
      const { address, subnet } = this.gateway;
      this.#setAddress(GATEWAY_BRIDGE, { address, prefixLength: subnet.prefixLength });
      this.#allowForwarding();
    }
    return made;
  }

  /** See `LinkSpace.letGo`. */
  letGo(port: string): void {
    this.#links.letGo(GATEWAY_BRIDGE, port);
  }

  /** Gives the foot in the ingress network its address; after it was made, or to see that all is well. */
  applyIngressAddress(address: string, prefixLength: number): void {
    this.#setAddress(INGRESS_LINK, { address, prefixLength });
  }

  applyRules(input: Omit<HostRulesInput, "gatewaySubnet">): void {
    const { address, prefixLength } = this.gateway.subnet;
    this.#rules.apply(planHostRules({ ...input, gatewaySubnet: `${address}/${prefixLength}` }));
  }

  /** Sets right what others have changed. @returns whether our rules had to be repaired. */
  verify(): boolean {
    const { address, subnet } = this.gateway;
    this.#setAddress(GATEWAY_BRIDGE, { address, prefixLength: subnet.prefixLength });
    this.#allowForwarding();
    return this.#rules.verify();
  }

  forgetUdpFlows(addresses: ReadonlySet<string>): void {
    this.#rules.forgetUdpFlows(addresses);
  }

  /** Removes rules and bridge; the foot in the ingress network goes with its other end. */
  cleanup(): void {
    this.#rules.remove();
    for (const command of planForwardRules(this.#forwardTable(), FORWARDING).remove)
      this.#rules.run(command);
    this.#links.apply(GATEWAY_BRIDGE, { links: [], entries: [] });
  }

  close(): void {
    this.#rules.close(this.#options.clock);
  }

  /** Containers' packets pass through this machine. */
  #allowForwarding(): void {
    this.#setSysctl("net/ipv4/ip_forward", "1");
    for (const command of planForwardRules(this.#forwardTable(), FORWARDING).add) {
      this.#rules.run(command);
      this.#options.log.info("let containers' packets through the FORWARD chain", { command });
    }
  }

  /** Docker and others drop what they do not forward themselves, in a chain that comes beside ours. */
  #forwardTable(): string {
    return this.#rules.findTable("ip", "filter") ?? "";
  }

  #setAddress(name: string, wanted: Omit<InterfaceAddress, "index">): void {
    const { socket } = this.#options;
    const link = this.#linkList().find((one) => one.name === name);
    if (link === undefined) return;
    const found = socket.dump(dumpAddresses()).map(decodeAddress);
    const own = found.filter((entry) => entry.index === link.index);
    const stale = own.filter((entry) => entry.address !== wanted.address);
    socket.run([
      ...stale.map(deleteAddress),
      ...(own.length > stale.length ? [] : [addAddress({ index: link.index, ...wanted })]),
      ...(link.up ? [] : [setUp(link.index)]),
    ]);
    // So that 127.0.0.1:port works; a rule keeps packets from containers off the loopback.
    this.#setSysctl(`net/ipv4/conf/${name}/route_localnet`, "1");
  }

  #setSysctl(name: string, value: string): void {
    if (setSysctl(name, value)) this.#options.log.info("set sysctl", { name, value });
  }

  #findGatewaySubnet(): Cidr | undefined {
    const bridge = this.#linkList().find((link) => link.name === GATEWAY_BRIDGE);
    const addresses = this.#options.socket.dump(dumpAddresses()).map(decodeAddress);
    const own = addresses.find((entry) => entry.index === bridge?.index);
    return own === undefined ? undefined : subnetOf(own.address, own.prefixLength);
  }

  #takenSubnets(): Cidr[] {
    const { socket } = this.#options;
    const addresses = socket.dump(dumpAddresses()).map(decodeAddress);
    const routes = socket.dump(dumpRoutes()).flatMap((message) => decodeRoute(message) ?? []);
    return [
      ...addresses.map((entry) => subnetOf(entry.address, entry.prefixLength)),
      ...routes
        .filter((route) => route.prefixLength > 0)
        .map((route) => subnetOf(route.destination, route.prefixLength)),
    ];
  }

  #linkList(): Link[] {
    return this.#options.socket.dump(dumpLinks()).map(decodeLink);
  }
}

function isGatewayLink(link: Link): boolean {
  return link.name === GATEWAY_BRIDGE || link.name.startsWith(GATEWAY_PORT_PREFIX);
}

function subnetOf(address: string, prefixLength: number): Cidr {
  return parseCidr(`${address}/${prefixLength}`);
}
