import { closeSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import { decodeLink, dumpLinks, setUp } from "../../runtime/linux/netlink/link.ts";
import { addAddress, addRoute } from "../../runtime/linux/netlink/route.ts";
import { NetlinkSocket, Protocol } from "../../runtime/linux/netlink/socket.ts";
import { inNamespace, openNamespace, removeNamespace } from "../../runtime/linux/netns.ts";
import { bindDns } from "../../runtime/network/dns/dns-sockets.ts";
import type { Forwarder } from "../../runtime/network/dns/forwarder.ts";
import { NameServer, type NameServerSockets } from "../../runtime/network/dns/name-server.ts";
import { NameView, type Zone } from "../../runtime/network/dns/name-view.ts";
import { isIpv4 } from "../../runtime/network/plan/cidr.ts";
import type { DnsPorts } from "../../runtime/network/plan/dns-rules.ts";
import { RuleSpace } from "../../runtime/network/rule-space.ts";
import { ownZone } from "./dns/zone.ts";
import { NFT_TABLE } from "./plan/names.ts";
import { type Gateway, type PlacedSandbox, planInside } from "./plan/sandbox-links.ts";
import { planVipRules, UDP_SEEN_SET } from "./plan/vip-rules.ts";

export interface SandboxServices {
  readonly forwarder: Forwarder;
  /** The host's name servers, for sandboxes that name none. */
  readonly hostServers: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** One container's network namespace from inside: interfaces, VIP rules, name server. */
export class SandboxSpace {
  readonly placed: PlacedSandbox;
  readonly #path: string;
  readonly #namespaceFd: number;
  readonly #rules: RuleSpace;
  readonly #server: NameServer;
  readonly #services: SandboxServices;
  readonly ports: DnsPorts;
  #view: NameView;
  /** Somebody in it has sent UDP to a VIP, as far as is known; rules that are written whole forget it. */
  #sawUdp: boolean;

  /**
   * Takes over a namespace, new or left by a former daemon.
   *
   * @param ports where its name server listened before; others are taken when they are not free.
   */
  constructor(
    path: string,
    placed: PlacedSandbox,
    options: { readonly ports: DnsPorts; readonly services: SandboxServices },
  ) {
    this.#path = path;
    this.placed = placed;
    this.#services = options.services;
    this.#namespaceFd = openNamespace(path);
    this.#rules = new RuleSpace(this.#namespaceFd, NFT_TABLE);
    this.#sawUdp = this.#rules.hasElements(UDP_SEEN_SET);
    const sockets = inNamespace(this.#namespaceFd, () => bindDns(options.ports));
    this.ports = { udp: sockets.udp.port, tcp: sockets.tcp.port };
    this.#view = new NameView([]);
    this.#server = this.#serve(sockets);
  }

  /** Brings the interfaces up with their addresses and routes; after any of them was made. */
  applyLinks(gateway: Gateway): void {
    const plan = planInside(this.placed, gateway);
    const socket = inNamespace(this.#namespaceFd, () => new NetlinkSocket(Protocol.Route));
    try {
      const there = new Set(socket.dump(dumpLinks()).map((message) => decodeLink(message).index));
      // The other interfaces of a half repaired sandbox are still to come.
      const addresses = plan.addresses.filter((entry) => there.has(entry.index));
      const routes = plan.routes.filter((route) => there.has(route.index));
      socket.run([
        ...addresses.map(addAddress),
        ...plan.up.filter((index) => there.has(index)).map(setUp),
        ...routes.map(addRoute),
      ]);
    } finally {
      socket.close();
    }
  }

  /** Takes the newest tables of its networks: rules first, then names, which may lead to them. */
  applyTables(tables: readonly EndpointTable[], zones: readonly Zone[]): void {
    this.#rules.apply(planVipRules(tables, this.ports));
    const { hostname } = this.placed.spec;
    this.#view = new NameView([ownZone(hostname, this.addresses()), ...zones]);
  }

  /** Flows of UDP that lead to endpoints which left choose anew; costs next to nothing when there was no UDP. */
  forgetUdpFlows(addresses: ReadonlySet<string>): void {
    this.#sawUdp ||= this.#rules.hasElements(UDP_SEEN_SET);
    if (this.#sawUdp) this.#rules.forgetUdpFlows(addresses);
  }

  /** Sets right what others have changed in the rules. @returns whether they had to be. */
  verify(): boolean {
    this.#sawUdp ||= this.#rules.hasElements(UDP_SEEN_SET);
    return this.#rules.verify();
  }

  /** Own addresses on swarm networks, without prefix length. */
  addresses(): string[] {
    return this.placed.spec.attachments
      .flatMap((attachment) => attachment.addresses)
      .filter(isIpv4)
      .map((address) => address.split("/")[0] ?? "");
  }

  /** Stops serving; the namespace stays. */
  close(): void {
    this.#server.close();
    this.#rules.close(this.#services.clock);
    closeSync(this.#namespaceFd);
  }

  /** Stops serving and gives up the namespace. */
  remove(): void {
    this.close();
    removeNamespace(this.#path);
  }

  #serve(sockets: NameServerSockets): NameServer {
    const { forwarder, random, log, hostServers } = this.#services;
    const { id, dns } = this.placed.spec;
    return new NameServer({
      sockets,
      view: () => this.#view,
      servers: () => (dns.nameservers.length > 0 ? dns.nameservers : hostServers()),
      forwarder,
      random,
      log: log.child({ sandbox: id }),
    });
  }
}
