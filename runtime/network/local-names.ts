import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { systemRandom } from "../../core/system-random.ts";
import { inNamespace } from "../linux/netns.ts";
import { bindDns } from "./dns/dns-sockets.ts";
import { Forwarder } from "./dns/forwarder.ts";
import { HostResolvers } from "./dns/host-resolvers.ts";
import { NameServer } from "./dns/name-server.ts";
import { NameView, type Zone } from "./dns/name-view.ts";
import { type DnsPorts, NAMES_TABLE, planDnsRules } from "./plan/dns-rules.ts";
import { chooseGateway } from "./plan/gateway-choice.ts";
import { planLocalZone, planNameView } from "./plan/local-zone.ts";
import { RuleSpace } from "./rule-space.ts";
import type { Attachment, LocalNetwork } from "./types.ts";

const ANY_PORTS: DnsPorts = { udp: 0, tcp: 0 };

/** What the names are made of, as it is now. */
export interface NameSource {
  findAttachment(containerId: string): Attachment | undefined;
  attachments(): readonly Attachment[];
  findNetwork(id: string): LocalNetwork | undefined;
}

/** The name servers of containers, each in the container's own namespace, that answer with what runs in its networks. */
export class LocalNames {
  readonly #source: NameSource;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #forwarder: Forwarder;
  readonly #host: HostResolvers;
  readonly #servers = new Map<string, NameServer>();
  /** By network; absent: somebody came or went since it was asked for. */
  readonly #zones = new Map<string, Zone>();

  constructor(source: NameSource, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
    this.#forwarder = new Forwarder(clock, systemRandom);
    this.#host = new HostResolvers(clock);
  }

  isServing(containerId: string): boolean {
    return this.#servers.has(containerId);
  }

  /**
   * Serves a container from now on.
   *
   * @param namespaceFd its namespace; stays the caller's.
   * @param wanted where it was served before.
   * @returns where it is served now.
   */
  serve(containerId: string, namespaceFd: number, wanted: DnsPorts = ANY_PORTS): DnsPorts {
    const sockets = inNamespace(namespaceFd, () => bindDns(wanted));
    const ports = { udp: sockets.udp.port, tcp: sockets.tcp.port };
    this.#servers.set(
      containerId,
      new NameServer({
        sockets,
        view: () => this.#viewOf(containerId),
        servers: () => this.#upstreamOf(containerId),
        forwarder: this.#forwarder,
        random: systemRandom,
        log: this.#log.child({ container: containerId }),
      }),
    );
    const rules = new RuleSpace(namespaceFd, NAMES_TABLE);
    rules.apply(planDnsRules(ports));
    rules.close(this.#clock);
    return ports;
  }

  /** No error when it is not served. */
  stop(containerId: string): void {
    this.#servers.get(containerId)?.close();
    this.#servers.delete(containerId);
  }

  /** What is called what may be otherwise from now on in the networks of these. */
  forget(...changed: readonly (Attachment | undefined)[]): void {
    for (const { networkId } of changed.flatMap((one) => one?.endpoints ?? []))
      this.#zones.delete(networkId);
  }

  /** Stops serving. */
  close(): void {
    for (const id of [...this.#servers.keys()]) this.stop(id);
  }

  #viewOf(containerId: string): NameView {
    const attachment = this.#source.findAttachment(containerId);
    if (attachment === undefined) return new NameView([]);
    const all = this.#source.attachments();
    return planNameView(attachment, all, (id) => this.#zoneOf(id));
  }

  #zoneOf(id: string): Zone | undefined {
    const known = this.#zones.get(id);
    if (known !== undefined) return known;
    const network = this.#source.findNetwork(id);
    if (network === undefined) return undefined;
    const zone = planLocalZone(network, this.#source.attachments());
    this.#zones.set(id, zone);
    return zone;
  }

  /** Who has no way out asks nobody outside either. */
  #upstreamOf(containerId: string): readonly string[] {
    const attachment = this.#source.findAttachment(containerId);
    if (attachment === undefined || chooseGateway(attachment.endpoints) === undefined) return [];
    const { resolvers } = attachment;
    return resolvers.length > 0 ? resolvers : this.#host.get().nameservers;
  }
}
