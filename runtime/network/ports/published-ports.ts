import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../core/clock.ts";
import { errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Flow } from "../../linux/netlink/conntrack.ts";
import { decodeLink, dumpLinks, reflectPort } from "../../linux/netlink/link.ts";
import { decodeAddress, dumpAddresses } from "../../linux/netlink/route.ts";
import { NetlinkSocket, Protocol } from "../../linux/netlink/socket.ts";
import { setSysctl } from "../../linux/sysctl.ts";
import type { NftFamily } from "../plan/ruleset.ts";
import { RunFiles } from "../run-files.ts";
import { hostPortName } from "./host-port.ts";
import { HostPorts } from "./host-ports.ts";
import { type Leading, leadingOf } from "./leading.ts";
import { byPort, EPHEMERAL_PORTS, type PortRange, parsePortRange } from "./port-choice.ts";
import { placeBinding } from "./port-places.ts";
import { PortRelays } from "./port-relays.ts";
import { listensOnIpv6, portSockets } from "./port-sockets.ts";
import { FAMILIES, PortTables } from "./port-tables.ts";
import { programmingFailed } from "./publish-errors.ts";
import { hasUdp, leadsTo, missesIt } from "./stale-flows.ts";
import type { PortBinding, Publication, PublishedPort, PublishedPortView } from "./types.ts";
import type { WayIn } from "./way-in.ts";

const EPHEMERAL_FILE = "/proc/sys/net/ipv4/ip_local_port_range";

export interface PublishedPortOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Ports of this machine that lead to containers in its local networks.
 *
 * What is published is written down before the kernel is told and forgotten after it has forgotten. Rules serve on while
 * no daemon runs, relays of IPv6 do not; the next one takes up ports, sockets and relays. The kernel is touched when the
 * first port is published.
 */
export class PublishedPorts implements PublishedPortView {
  readonly #options: PublishedPortOptions;
  readonly #files: RunFiles<Publication>;
  readonly #publications = new Map<string, Publication>();
  /** Who else has ports of this machine takes them here: the swarm's. */
  readonly hostPorts = new HostPorts(portSockets, ephemeralPorts());
  readonly #relays: PortRelays;
  #tables: PortTables | undefined;

  private constructor(options: PublishedPortOptions) {
    this.#options = options;
    this.#relays = new PortRelays(options);
    this.#files = new RunFiles(
      join(options.execRoot, "local-networks", "ports"),
      (json) => json as Publication,
    );
  }

  /** Takes up what an earlier process published. */
  static open(options: PublishedPortOptions): PublishedPorts {
    const ports = new PublishedPorts(options);
    try {
      for (const one of ports.#files.load(options.log)) ports.#takeUp(one);
      if (ports.#publications.size > 0) ports.#apply();
    } catch (error) {
      // What the earlier process wrote serves on; a daemon that does not start would help nobody.
      options.log.error("cannot take up published ports", { reason: errorMessage(error) });
    }
    return ports;
  }

  publishedPorts(containerId: string): readonly PublishedPort[] {
    return this.#publications.get(containerId)?.ports ?? [];
  }

  /**
   * Lets ports of this machine lead to a container: all that are wanted or none. It must have none: `unpublish` first.
   *
   * @throws {ClusterError} with Docker's words when a port cannot be had; nothing has then changed.
   */
  publish(
    container: { readonly id: string; readonly name: string },
    way: WayIn | undefined,
    bindings: readonly PortBinding[],
  ): void {
    if (bindings.length === 0) return;
    const { id, name } = container;
    if (way === undefined) {
      this.#options.log.warn("ports are not published: no network leads there", { container: id });
      return;
    }
    try {
      this.#publish(id, way, bindings);
    } catch (error) {
      this.unpublish(id);
      throw programmingFailed(name, way.endpointId, error);
    }
  }

  /** Gives back all ports of a container. No error when it has none. */
  unpublish(containerId: string): void {
    const publication = this.#publications.get(containerId);
    if (publication !== undefined) {
      this.#withdraw(publication);
      this.#files.remove(containerId);
    }
    this.#relays.stop(containerId);
    this.hostPorts.release(containerId);
  }

  /** Writes the rules again where the kernel has others. @returns whether it had. */
  verify(): boolean {
    return this.#tables?.verify() ?? false;
  }

  /** Lets go of sockets and the kernel; the rules serve on. */
  close(): void {
    this.#relays.close();
    this.hostPorts.close();
    this.#tables?.close(this.#options.clock);
    this.#tables = undefined;
  }

  #publish(id: string, way: WayIn, bindings: readonly PortBinding[]): void {
    const hasIpv6 = listensOnIpv6();
    const placed = bindings.map((one) => placeBinding(one, way, hasIpv6));
    const { address, bridge, link, subnet, ipv6 } = way;
    const ports = this.hostPorts.take(id, placed).sort(byPort);
    const publication = { containerId: id, address, bridge, link, subnet, ipv6, ports };
    this.#publications.set(id, publication);
    this.#files.put(publication);
    this.#openWays(publication);
    this.#apply();
    this.#relays.start(publication, this.hostPorts);
    this.#forget(publication, (leading, family) => missesIt(leading, ownAddresses(family)));
  }

  #withdraw(publication: Publication): void {
    const { containerId } = publication;
    this.#publications.delete(containerId);
    try {
      this.#apply();
    } catch (error) {
      // It is still published then, and can be withdrawn once more.
      this.#publications.set(containerId, publication);
      throw error;
    }
    this.#forget(publication, leadsTo);
  }

  #takeUp(publication: Publication): void {
    const { containerId, ports } = publication;
    this.#publications.set(containerId, publication);
    this.#openWays(publication);
    for (const lost of this.hostPorts.takeBack(containerId, ports))
      this.#options.log.warn("another program has taken a published port meanwhile", {
        container: containerId,
        port: hostPortName(lost),
      });
    this.#relays.start(publication, this.hostPorts);
  }

  /**
   * So that 127.0.0.1:port works, where a rule of the local networks keeps all others off the loopback, and so that a
   * container reaches itself where packets in bridges go through rules.
   */
  #openWays({ bridge, link, ipv6 }: Publication): void {
    const name = `net/ipv4/conf/${bridge}/route_localnet`;
    if (setSysctl(name, "1")) this.#options.log.info("set sysctl", { name, value: "1" });
    reflect(link);
    if (ipv6 !== undefined && ipv6.link !== link) reflect(ipv6.link);
  }

  #apply(): void {
    this.#openTables().apply([...this.#publications.values()]);
  }

  /** A flow that goes on to where it went is no reason to fail: it ends some time. */
  #forget(
    publication: Publication,
    plan: (leading: Leading, family: NftFamily) => (flow: Flow) => boolean,
  ): void {
    try {
      for (const family of FAMILIES) {
        const leading = leadingOf(publication, family);
        if (leading !== undefined && hasUdp(leading))
          this.#openTables().forgetFlows(plan(leading, family), family);
      }
    } catch (error) {
      this.#options.log.warn("cannot forget flows of published ports", {
        reason: errorMessage(error),
      });
    }
  }

  #openTables(): PortTables {
    this.#tables ??= new PortTables(this.#options.dataRoot);
    return this.#tables;
  }
}

function ephemeralPorts(): PortRange {
  return existsSync(EPHEMERAL_FILE)
    ? parsePortRange(readFileSync(EPHEMERAL_FILE, "utf8"))
    : EPHEMERAL_PORTS;
}

/** Every address of this machine of a family. */
function ownAddresses(family: NftFamily): Set<string> {
  return withRoutes((socket) => {
    const all = socket.dump(dumpAddresses(family)).map(decodeAddress);
    return new Set(all.map(({ address }) => address));
  });
}

/** No error when there is no such port: its container has ended. */
function reflect(link: string): void {
  withRoutes((socket) => {
    const found = socket
      .dump(dumpLinks())
      .map(decodeLink)
      .find(({ name }) => name === link);
    if (found !== undefined) socket.run([reflectPort(found.index)]);
  });
}

function withRoutes<T>(work: (socket: NetlinkSocket) => T): T {
  const socket = new NetlinkSocket(Protocol.Route);
  try {
    return work(socket);
  } finally {
    socket.close();
  }
}
