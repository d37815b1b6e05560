import { closeSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import {
  addBridge,
  addVeth,
  addVxlan,
  decodeLink,
  deleteLinks,
  dumpLinks,
  enslave,
  type Link,
} from "../../runtime/linux/netlink/link.ts";
import type { Request } from "../../runtime/linux/netlink/message.ts";
import {
  decodeNeighbour,
  deleteNeighbour,
  dumpArp,
  dumpForwarding,
  type Neighbour,
  putNeighbour,
} from "../../runtime/linux/netlink/neighbour.ts";
import { isGone, type NetlinkSocket } from "../../runtime/linux/netlink/socket.ts";
import {
  type Entry,
  entryKey,
  type FoundLayout,
  type FoundLink,
  isEmpty,
  type Layout,
  type LayoutSteps,
  type PairLink,
  type PlannedLink,
  planSteps,
  type TunnelLink,
} from "./plan/layout.ts";

/** A tunnel's frames cross its bridge only to ports; it is the way to all addresses the ports do not have. */
const TUNNEL_PORT = { learning: false, flood: true, isolated: false } as const;

/** Interfaces are in group 0 unless somebody says otherwise. */
const DELETION_GROUP = 0x6d75;

export interface LinkSpaceOptions {
  /** A route socket of the namespace the links are in. */
  readonly socket: NetlinkSocket;
  /** A route socket of the namespace the tunnels' packets travel in. */
  readonly underlay: NetlinkSocket;
  /** The namespace the links are in. */
  readonly namespaceFd: number;
  /** Links we made; others are never touched. */
  readonly owns: (link: Link) => boolean;
  /** Opens the namespace of a pair's other end; closed here. */
  readonly openPeer: (peer: PairLink["peer"]["namespace"]) => number;
}

/**
 * The bridges of one namespace with all that belongs to them.
 *
 * Remembers what it has seen and written, so that a change costs what changes; `refresh` reads the kernel again, and so
 * does a failure.
 */
export class LinkSpace {
  readonly #options: LinkSpaceOptions;
  /** By bridge. */
  #found = new Map<string, { links: Map<string, FoundLink>; entries: Map<string, Entry> }>();
  /** Links that go with their other end's namespace, by name: not waited for. */
  #leaving = new Map<string, FoundLink>();
  #highestIndex = 0;

  constructor(options: LinkSpaceOptions) {
    this.#options = options;
  }

  /** Reads the kernel; what is ours and belongs to no bridge is half made and goes. */
  refresh(): void {
    const { socket, owns } = this.#options;
    const all = socket.dump(dumpLinks()).map(decodeLink);
    const names = new Map(all.map((link) => [link.index, link.name]));
    this.#highestIndex = Math.max(...all.map((link) => link.index));
    this.#found = new Map();
    this.#leaving.clear();
    const strays: Link[] = [];
    for (const link of all.filter(owns)) {
      const bridge = link.kind === "bridge" ? link.name : (names.get(link.master) ?? "");
      if (bridge === "") strays.push(link);
      else this.#of(bridge).links.set(link.name, { ...link, bridge });
    }
    const bridges = new Map(
      [...this.#found].flatMap(([bridge, { links }]) =>
        [...links.keys()].map((name) => [name, bridge]),
      ),
    );
    for (const message of [...socket.dump(dumpForwarding()), ...socket.dump(dumpArp())]) {
      const entry = entryOf(decodeNeighbour(message), names);
      const bridge = entry === undefined ? undefined : bridges.get(entry.link);
      if (entry !== undefined && bridge !== undefined)
        this.#of(bridge).entries.set(entryKey(entry), entry);
    }
    this.#delete(deleteLinks(strays, DELETION_GROUP));
  }

  /** The bridges there are. */
  bridges(): readonly string[] {
    return [...this.#found.keys()];
  }

  /**
   * Leaves a port to the kernel, which removes it in the background when its other end's namespace ends; removing it here
   * would stop the process for 20 ms. Should the namespace live on, `refresh` finds the port again.
   */
  letGo(bridge: string, name: string): void {
    const { links } = this.#of(bridge);
    const link = links.get(name);
    if (link === undefined) return;
    links.delete(name);
    this.#leaving.set(name, link);
  }

  /**
   * Makes a bridge and what belongs to it as planned; an empty layout removes it. Nothing to do costs no system call.
   *
   * @returns the names of links made; their other ends are still to be set up.
   * @throws {ClusterError} with the kernel's words, after a second try from what the kernel really has.
   */
  apply(bridge: string, wanted: Layout): string[] {
    const steps = planSteps(wanted, this.#of(bridge));
    if (isEmpty(steps)) return [];
    try {
      return this.#carryOut(bridge, wanted, steps);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.refresh();
      return this.#carryOut(bridge, wanted, planSteps(wanted, this.#of(bridge)));
    }
  }

  #carryOut(bridge: string, wanted: Layout, steps: LayoutSteps): string[] {
    const { socket, underlay } = this.#options;
    const found = this.#of(bridge);
    const known = [...this.#leaving, ...found.links];
    const indexes = new Map(known.map(([name, link]) => [name, link.index]));
    this.#delete([
      ...steps.deleteEntries.map((entry) => deleteNeighbour(neighbourOf(entry, indexes))),
      ...deleteLinks([...steps.deleteLinks, ...this.#stillLeaving(steps.addLinks)], DELETION_GROUP),
    ]);
    for (const link of steps.addLinks) indexes.set(link.name, ++this.#highestIndex);
    const tunnels = steps.addLinks.filter((link) => link.kind === "vxlan");
    underlay.run(tunnels.map((link) => this.#addTunnel(link, indexes)));
    const opened: number[] = [];
    try {
      socket.run([
        ...steps.addLinks.flatMap((link) => this.#addLink(link, { bridge, indexes, opened })),
        ...steps.putEntries.map((entry) => putNeighbour(neighbourOf(entry, indexes))),
      ]);
    } finally {
      opened.forEach(closeSync);
    }
    this.#remember(bridge, wanted, indexes);
    return steps.addLinks.map((link) => link.name);
  }

  #addTunnel(link: TunnelLink, indexes: ReadonlyMap<string, number>): Request {
    const netnsFd = this.#options.namespaceFd;
    return addVxlan({ ...link, index: indexOf(link.name, indexes), netnsFd });
  }

  #addLink(
    link: PlannedLink,
    context: { bridge: string; indexes: ReadonlyMap<string, number>; opened: number[] },
  ): Request[] {
    const index = indexOf(link.name, context.indexes);
    if (link.kind === "bridge") return [addBridge({ ...link, index })];
    const master = indexOf(context.bridge, context.indexes);
    if (link.kind === "vxlan") return enslave(index, master, TUNNEL_PORT);
    const netnsFd = this.#options.openPeer(link.peer.namespace);
    context.opened.push(netnsFd);
    const { name, mtu, peer, treatment } = link;
    return [
      addVeth({ name, index, mtu, peer: { ...peer, netnsFd } }),
      ...enslave(index, master, treatment),
    ];
  }

  /** Links to be made whose predecessor of the same name may not be gone yet. */
  #stillLeaving(links: readonly PlannedLink[]): FoundLink[] {
    const leaving = links.flatMap((link) => this.#leaving.get(link.name) ?? []);
    for (const link of leaving) this.#leaving.delete(link.name);
    return leaving;
  }

  /** What is gone already is as wanted. */
  #delete(requests: readonly Request[]): void {
    const failed = this.#options.socket.batch(requests).find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
  }

  #remember(bridge: string, wanted: Layout, indexes: ReadonlyMap<string, number>): void {
    if (wanted.links.length === 0) {
      this.#found.delete(bridge);
      return;
    }
    const links = wanted.links.map((link): [string, FoundLink] => {
      const { name, kind, mtu } = link;
      const vxlan = link.kind === "vxlan" ? link : undefined;
      return [name, { index: indexOf(name, indexes), name, kind, mtu, bridge, up: true, vxlan }];
    });
    const entries = wanted.entries.map((entry): [string, Entry] => [entryKey(entry), entry]);
    this.#found.set(bridge, { links: new Map(links), entries: new Map(entries) });
  }

  #of(bridge: string): FoundLayout & {
    links: Map<string, FoundLink>;
    entries: Map<string, Entry>;
  } {
    const found = this.#found.get(bridge) ?? { links: new Map(), entries: new Map() };
    this.#found.set(bridge, found);
    return found;
  }
}

function indexOf(name: string, indexes: ReadonlyMap<string, number>): number {
  const index = indexes.get(name);
  if (index === undefined) throw new ClusterError("Internal", `cannot use link ${name}: not there`);
  return index;
}

function neighbourOf(entry: Entry, indexes: ReadonlyMap<string, number>): Neighbour {
  const index = indexOf(entry.link, indexes);
  switch (entry.kind) {
    case "tunnel":
      return { kind: "tunnel", index, mac: entry.key, node: entry.value };
    case "port":
      return { kind: "port", index, mac: entry.key };
    case "arp":
      return { kind: "arp", index, mac: entry.value, address: entry.key };
  }
}

function entryOf(
  neighbour: Neighbour | undefined,
  names: ReadonlyMap<number, string>,
): Entry | undefined {
  const link = neighbour === undefined ? undefined : names.get(neighbour.index);
  if (neighbour === undefined || link === undefined) return undefined;
  switch (neighbour.kind) {
    case "tunnel":
      return { kind: "tunnel", link, key: neighbour.mac, value: neighbour.node };
    case "port":
      return { kind: "port", link, key: neighbour.mac, value: "" };
    case "arp":
      return { kind: "arp", link, key: neighbour.address, value: neighbour.mac };
  }
}
