import { closeSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import {
  addIpvlan,
  addMacvlan,
  addVeth,
  addVlan,
  decodeLink,
  deleteLinks,
  dumpLinks,
  type Link,
  setUp,
} from "../linux/netlink/link.ts";
import { isGone, NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { inNamespace, openNamespace } from "../linux/netns.ts";
import { setSysctl } from "../linux/sysctl.ts";
import type { NamespaceFiles } from "./namespace-files.ts";
import { macOf } from "./plan/link-names.ts";
import { isolatedLinkName, parseVlan, type SharedLink } from "./plan/shared-link.ts";
import type { Endpoint, LocalNetwork } from "./types.ts";

/** Every namespace has it first. */
const LOOPBACK_INDEX = 1;
/** Of a link that is never made. */
const PROBE_NAME = "mprobe";
const ISOLATED_MTU = 1500;
const END_NAME = "end";

/** A network whose containers share a link, and what it is told. */
export interface SharingNetwork {
  readonly network: LocalNetwork;
  readonly shared: SharedLink;
}

/** Links of this machine that containers of macvlan and ipvlan networks share, and those of VLANs made for them. */
export class SharedLinks {
  readonly #dataRoot: string;
  readonly #namespaceFd: number;
  readonly #namespaces: NamespaceFiles;
  readonly #socket: NetlinkSocket;

  /**
   * @param namespaceFd the daemon's own; stays the caller's and must stay open.
   * @param namespaces one by the id of each network without parent.
   */
  constructor(dataRoot: string, namespaceFd: number, namespaces: NamespaceFiles) {
    this.#dataRoot = dataRoot;
    this.#namespaceFd = namespaceFd;
    this.#namespaces = namespaces;
    this.#socket = new NetlinkSocket(Protocol.Route);
  }

  /**
   * Says whether the link that containers are to share must be made.
   *
   * @throws {ClusterError} FailedPrecondition when it cannot be had; Unimplemented when the kernel has none of the kind.
   */
  mustMakeParent({ kind, parent }: SharedLink): boolean {
    this.#requireKind(kind);
    if (parent === "") return true;
    const names = new Set(this.#links().map(({ name }) => name));
    if (names.has(parent)) return false;
    const vlan = parseVlan(parent);
    if (vlan !== undefined && names.has(vlan.link)) return true;
    throw noLink(vlan?.link ?? parent);
  }

  /** Makes the link that containers share if it is the network's own and not there. */
  ensureParent({ network, shared }: SharingNetwork): void {
    const { parent } = shared;
    if (parent === "") this.#ensureIsolated(network);
    else if (network.ownsParent === true) this.#ensureVlan(parent);
  }

  /** Removes the link that containers share if it is the network's own. */
  removeParent({ network, shared }: SharingNetwork): void {
    if (shared.parent !== "" && network.ownsParent !== true) return;
    const name = this.#parentOf(network, shared);
    const found = this.#links().filter((link) => link.name === name);
    const failed = this.#socket.batch(deleteLinks(found, 0)).find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
    if (shared.parent === "") this.#namespaces.giveUp(network.id);
  }

  /** Puts an interface that shares the link into a container's namespace, down and without address. */
  add({ network, shared }: SharingNetwork, endpoint: Endpoint, netnsFd: number): void {
    const { mac, interface: name } = endpoint;
    const { mode, flag, mtu } = shared;
    const parent = this.#indexOf(this.#parentOf(network, shared));
    const spec = { name, parent, mode, mtu, netnsFd };
    this.#socket.run([
      shared.kind === "macvlan" ? addMacvlan({ ...spec, mac }) : addIpvlan({ ...spec, flag }),
    ]);
  }

  close(): void {
    this.#socket.close();
  }

  #parentOf(network: LocalNetwork, { parent }: SharedLink): string {
    return parent === "" ? isolatedLinkName(this.#dataRoot, network.id) : parent;
  }

  /** It ends in a namespace where nobody is: a link carries nothing, not even between those who share it, without an end. */
  #ensureIsolated({ id, ipv4 }: LocalNetwork): void {
    const name = isolatedLinkName(this.#dataRoot, id);
    const isThere = this.#find(name) !== undefined;
    if (!this.#namespaces.has(id)) this.#namespaces.create(id);
    const netnsFd = openNamespace(this.#namespaces.path(id));
    try {
      const mac = macOf(ipv4?.gateway ?? "0.0.0.0");
      const peer = { name: END_NAME, index: 0, mac, netnsFd };
      const request = addVeth({ name, index: 0, mtu: ISOLATED_MTU, peer });
      if (!isThere) this.#socket.run([request]);
      setEndUp(netnsFd);
    } finally {
      closeSync(netnsFd);
    }
    setSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "1");
  }

  #ensureVlan(name: string): void {
    const vlan = parseVlan(name);
    if (vlan === undefined) throw noLink(name);
    if (this.#find(name) === undefined) {
      const request = addVlan({ name, parent: this.#indexOf(vlan.link), id: vlan.id });
      const [failed] = this.#socket.batch([request]);
      if (failed !== undefined) throw isUnknownKind(failed.error) ? noKind("vlan") : failed.error;
    }
    this.#socket.run([setUp(this.#indexOf(name))]);
  }

  /** No such link can be above the loopback, so that nothing is made where the kernel knows the kind. */
  #requireKind(kind: SharedLink["kind"]): void {
    const spec = { name: PROBE_NAME, parent: LOOPBACK_INDEX, mode: 0, mtu: undefined };
    const here = { ...spec, netnsFd: this.#namespaceFd };
    const [failed] = this.#socket.batch([
      kind === "macvlan"
        ? addMacvlan({ ...here, mac: "02:00:00:00:00:01" })
        : addIpvlan({ ...here, flag: 0 }),
    ]);
    if (failed !== undefined && isUnknownKind(failed.error)) throw noKind(kind);
  }

  #links(): Link[] {
    return this.#socket.dump(dumpLinks()).map(decodeLink);
  }

  #find(name: string): Link | undefined {
    return this.#links().find((link) => link.name === name);
  }

  #indexOf(name: string): number {
    const link = this.#find(name);
    if (link !== undefined) return link.index;
    throw noLink(name);
  }
}

function setEndUp(namespaceFd: number): void {
  const socket = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Route));
  try {
    const links = socket.dump(dumpLinks()).map(decodeLink);
    const ends = links.filter(({ name }) => name === END_NAME);
    socket.run(ends.map(({ index }) => setUp(index)));
  } finally {
    socket.close();
  }
}

function isUnknownKind({ details }: ClusterError): boolean {
  return details.errno === "ENOTSUP";
}

function noKind(kind: string): ClusterError {
  return new ClusterError(
    "Unimplemented",
    `this machine's kernel has no ${kind} links: load its module ${kind === "vlan" ? "8021q" : kind}, or use another kernel or driver`,
  );
}

function noLink(name: string): ClusterError {
  return new ClusterError("FailedPrecondition", `there is no link ${name} on this machine`);
}
