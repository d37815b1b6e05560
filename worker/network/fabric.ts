import { closeSync } from "node:fs";
import { NetlinkSocket, Protocol } from "../../runtime/linux/netlink/socket.ts";
import {
  createNamespace,
  inNamespace,
  isNamespace,
  openNamespace,
  removeNamespace,
} from "../../runtime/linux/netns.ts";
import { setSysctl } from "../../runtime/linux/sysctl.ts";
import { LOOPBACK_INDEX } from "../../runtime/network/plan/loopback.ts";
import { LinkSpace } from "./link-space.ts";
import { EMPTY_LAYOUT, type Layout, type PairLink } from "./plan/layout.ts";

/** Router advertisements and duplicate address detection have no business on the bridges. */
const NO_IPV6 = "net/ipv6/conf/default/disable_ipv6";
/** Bridged frames need not pass the rules of a namespace that has none. Absent without br_netfilter. */
const BRIDGE_FILTERS = ["iptables", "ip6tables", "arptables"];

export interface FabricOptions {
  /** The file of its namespace. */
  readonly path: string;
  /** A route socket of the daemon's namespace, where the tunnels' packets travel. */
  readonly underlay: NetlinkSocket;
  readonly openPeer: (peer: PairLink["peer"]["namespace"]) => number;
}

/**
 * The namespace of bridges and tunnels, apart from the machine's own.
 *
 * So that subnets of the swarm and of the machine may overlap, the machine's firewall does not judge bridged frames, no
 * interface name can clash, and everything in it is ours.
 */
export class Fabric {
  readonly #namespaceFd: number;
  readonly #socket: NetlinkSocket;
  readonly #links: LinkSpace;

  /** Makes the namespace or takes over the one there is. */
  constructor(options: FabricOptions) {
    if (!isNamespace(options.path)) {
      removeNamespace(options.path);
      createNamespace(options.path, quieten);
    }
    this.#namespaceFd = openNamespace(options.path);
    this.#socket = inNamespace(this.#namespaceFd, () => new NetlinkSocket(Protocol.Route));
    this.#links = new LinkSpace({
      socket: this.#socket,
      underlay: options.underlay,
      namespaceFd: this.#namespaceFd,
      owns: (link) => link.index !== LOOPBACK_INDEX,
      openPeer: options.openPeer,
    });
    this.#links.refresh();
  }

  refresh(): void {
    this.#links.refresh();
  }

  bridges(): readonly string[] {
    return this.#links.bridges();
  }

  /** @returns names of links made. */
  apply(bridge: string, layout: Layout): string[] {
    return this.#links.apply(bridge, layout);
  }

  /** See `LinkSpace.letGo`. */
  letGo(bridge: string, port: string): void {
    this.#links.letGo(bridge, port);
  }

  close(): void {
    this.#socket.close();
    closeSync(this.#namespaceFd);
  }

  /** Removes bridges and tunnels. */
  cleanup(): void {
    for (const bridge of this.bridges()) this.apply(bridge, EMPTY_LAYOUT);
  }
}

function quieten(): void {
  setSysctl(NO_IPV6, "1");
  for (const filter of BRIDGE_FILTERS) setSysctl(`net/bridge/bridge-nf-call-${filter}`, "0");
}
