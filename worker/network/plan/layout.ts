import type { PortSpec } from "../../../runtime/linux/netlink/link.ts";

/** Links and forwarding of one bridge with all its ports: what should be, and how to get there. Pure. */

export interface BridgeLink {
  readonly kind: "bridge";
  readonly name: string;
  readonly mtu: number;
  readonly mac: string;
}

export interface TunnelLink {
  readonly kind: "vxlan";
  readonly name: string;
  readonly mtu: number;
  readonly vni: number;
  readonly local: string;
  readonly port: number;
}

/** A pair of interfaces: `name` is at the bridge, the peer in another namespace. */
export interface PairLink {
  readonly kind: "veth";
  readonly name: string;
  readonly mtu: number;
  readonly treatment: PortSpec;
  readonly peer: {
    readonly name: string;
    readonly mac: string;
    /** Wanted index of the peer; 0: any. */
    readonly index: number;
    /** A sandbox's id, or the daemon's own. */
    readonly namespace:
      | { readonly kind: "sandbox"; readonly id: string }
      | { readonly kind: "host" };
  };
}

export type PlannedLink = BridgeLink | TunnelLink | PairLink;

/** A forwarding or ARP entry by the name of its link. `target` is the node's address, or "" for a port. */
export interface Entry {
  readonly kind: "tunnel" | "port" | "arp";
  readonly link: string;
  /** A MAC address, of ARP entries an IPv4 address: with kind and link, what names the entry. */
  readonly key: string;
  /** Tunnel: the node's address. ARP: the MAC address. Port: empty. */
  readonly value: string;
}

export interface Layout {
  /** The bridge first; every other link is its port. Empty: nothing is wanted. */
  readonly links: readonly PlannedLink[];
  readonly entries: readonly Entry[];
}

/** A link as it was found. */
export interface FoundLink {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly mtu: number;
  /** Name of its bridge, empty without. */
  readonly bridge: string;
  readonly up: boolean;
  readonly vxlan:
    | { readonly vni: number; readonly local: string; readonly port: number }
    | undefined;
}

export interface FoundLayout {
  readonly links: ReadonlyMap<string, FoundLink>;
  /** By `entryKey`. */
  readonly entries: ReadonlyMap<string, Entry>;
}

/** In the order they are to be carried out. */
export interface LayoutSteps {
  readonly deleteEntries: readonly Entry[];
  readonly deleteLinks: readonly FoundLink[];
  readonly addLinks: readonly PlannedLink[];
  readonly putEntries: readonly Entry[];
}

export const EMPTY_LAYOUT: Layout = { links: [], entries: [] };

export function entryKey(entry: Entry): string {
  return `${entry.kind} ${entry.link} ${entry.key}`;
}

/** Plans the way from what is to what should be; what is right already is left alone. */
export function planSteps(wanted: Layout, found: FoundLayout): LayoutSteps {
  const wantedLinks = new Map(wanted.links.map((link) => [link.name, link]));
  const bridge = wanted.links[0]?.name ?? "";
  const deleteLinks = [...found.links.values()].filter((link) => {
    const plan = wantedLinks.get(link.name);
    return plan === undefined || !isAs(link, plan, bridge);
  });
  const gone = new Set(deleteLinks.map((link) => link.name));
  const addLinks = wanted.links.filter(
    (link) => gone.has(link.name) || !found.links.has(link.name),
  );

  const wantedEntries = new Map(wanted.entries.map((entry) => [entryKey(entry), entry]));
  // A link takes its entries with it.
  const left = [...found.entries].filter(([, entry]) => !gone.has(entry.link));
  const deleteEntries = left.filter(([key]) => !wantedEntries.has(key)).map(([, entry]) => entry);
  const right = new Map(left);
  const putEntries = [...wantedEntries]
    .filter(([key, entry]) => right.get(key)?.value !== entry.value)
    .map(([, entry]) => entry);
  return { deleteEntries, deleteLinks, addLinks, putEntries };
}

export function isEmpty(steps: LayoutSteps): boolean {
  return Object.values(steps).every((list) => list.length === 0);
}

function isAs(found: FoundLink, plan: PlannedLink, bridge: string): boolean {
  if (found.kind !== plan.kind || found.mtu !== plan.mtu || !found.up) return false;
  if (plan.kind !== "bridge" && found.bridge !== bridge) return false;
  if (plan.kind !== "vxlan") return true;
  const { vxlan } = found;
  return vxlan?.vni === plan.vni && vxlan.local === plan.local && vxlan.port === plan.port;
}
