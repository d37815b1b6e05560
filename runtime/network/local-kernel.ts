import { closeSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { openNamespace } from "../linux/netns.ts";
import { type BridgePlace, BridgeSpace } from "./bridge-space.ts";
import { removeInside, settleInside } from "./inside-links.ts";
import { NamespaceFiles } from "./namespace-files.ts";
import { subnetOf } from "./plan/addresses.ts";
import { bridgeLinkName, localTableName } from "./plan/bridge.ts";
import { readBridgeOptions } from "./plan/bridge-options.ts";
import { type BridgeFacts, planLocalRules } from "./plan/local-rules.ts";
import { linkNameOf } from "./plan/new-network.ts";
import { findSharedLink } from "./plan/shared-link.ts";
import { SharedLinks, type SharingNetwork } from "./shared-links.ts";
import type { Attachment, Endpoint, LocalNetwork } from "./types.ts";

/** What of the kernel local networks are made of, while it is held open: bridges, rules, the containers' namespaces. */
export class LocalKernel {
  readonly #dataRoot: string;
  /** The daemon's own. */
  readonly #namespaceFd: number;
  readonly #bridges: BridgeSpace;
  readonly #shared: SharedLinks;
  readonly namespaces: NamespaceFiles;
  /** The networks that have a bridge. */
  readonly #used = new Map<string, LocalNetwork>();

  constructor(
    dataRoot: string,
    namespacesDir: string,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#dataRoot = dataRoot;
    this.#namespaceFd = openNamespace();
    this.namespaces = new NamespaceFiles(namespacesDir, clock);
    const table = localTableName(dataRoot);
    this.#bridges = new BridgeSpace(this.#namespaceFd, { table, clock, log });
    this.#shared = new SharedLinks(dataRoot, this.#namespaceFd, this.namespaces);
  }

  hasBridge(network: LocalNetwork): boolean {
    return this.#bridges.hasLink(bridgeLinkOf(this.#dataRoot, network));
  }

  /**
   * Looks whether a new network can have its links.
   *
   * @returns the network, that says of a link to share whether it is to be made.
   * @throws {ClusterError} when a link it is to make is there already, or one it needs is not.
   */
  withLinks(network: LocalNetwork): LocalNetwork {
    const shared = findSharedLink(network);
    if (shared !== undefined)
      return { ...network, ownsParent: this.#shared.mustMakeParent(shared) };
    if (linkNameOf(network) !== "")
      this.#bridges.checkUnused(bridgeLinkOf(this.#dataRoot, network));
    return network;
  }

  /** Makes the network's bridge with its rules, or the link it shares, or makes what there is as it should be. */
  ensureLinks(network: LocalNetwork): void {
    const sharing = sharingOf(network);
    if (sharing !== undefined) this.#shared.ensureParent(sharing);
    const place = placeOf(this.#dataRoot, network);
    if (place === undefined || !this.#bridges.ensureBridge(place)) return;
    this.#used.set(network.id, network);
    this.#applyRules();
  }

  removeLinks(network: LocalNetwork): void {
    const sharing = sharingOf(network);
    if (sharing !== undefined) this.#shared.removeParent(sharing);
    if (network.driver !== "bridge") return;
    this.#bridges.removeBridge(bridgeLinkOf(this.#dataRoot, network));
    this.#used.delete(network.id);
    this.#applyRules();
  }

  removeOtherPorts(network: LocalNetwork, known: ReadonlySet<string>): void {
    this.#bridges.removeOtherPorts(bridgeLinkOf(this.#dataRoot, network), known);
  }

  hasPort(network: LocalNetwork, { link }: Endpoint): boolean {
    return this.#bridges.hasPort(bridgeLinkOf(this.#dataRoot, network), link);
  }

  /** Makes a container's interface in the network, without address yet: `settle` comes after. */
  join(network: LocalNetwork, containerId: string, endpoint: Endpoint): void {
    const place = placeOf(this.#dataRoot, network);
    const sharing = sharingOf(network);
    this.inside(containerId, (fd) => {
      if (place !== undefined) this.#bridges.addPort(place, endpoint, fd);
      if (sharing !== undefined) this.#shared.add(sharing, endpoint, fd);
    });
  }

  /** Gives a container's interfaces addresses and the way out, as they are to be now. */
  settle({ containerId, endpoints }: Attachment): void {
    this.inside(containerId, (fd) => settleInside(fd, endpoints));
  }

  /** Takes an interface out of a container that stays. */
  cut(containerId: string, endpoint: Endpoint): void {
    if (endpoint.link === "") this.#removeInside(containerId, endpoint);
    else this.#bridges.removePort(endpoint.link);
  }

  /** Nothing passes any more through an interface of a container whose namespace is about to go. */
  abandon(containerId: string, endpoint: Endpoint): void {
    if (endpoint.link === "") this.#removeInside(containerId, endpoint);
    else this.#bridges.closePort(endpoint.link);
  }

  /** See `BridgeSpace.verifyRules`. */
  verify(): boolean {
    return this.#bridges.verifyRules();
  }

  /** Lets go; all stays as it is and serves on. */
  close(): void {
    this.namespaces.close();
    this.#bridges.close();
    this.#shared.close();
    closeSync(this.#namespaceFd);
  }

  /** Does something with a container's namespace, which is open meanwhile. */
  inside<T>(containerId: string, work: (namespaceFd: number) => T): T {
    const fd = openNamespace(this.namespaces.path(containerId));
    try {
      return work(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** One without an end in a bridge, where it could be closed. */
  #removeInside(containerId: string, endpoint: Endpoint): void {
    if (!this.namespaces.has(containerId)) return;
    this.inside(containerId, (fd) => removeInside(fd, endpoint.interface));
  }

  #applyRules(): void {
    const table = localTableName(this.#dataRoot);
    const all = [...this.#used.values()];
    const factsOfAll = (pool: "ipv4" | "ipv6") =>
      all.flatMap((one) => factsOf(this.#dataRoot, one, pool));
    this.#bridges.applyRules(planLocalRules(table, factsOfAll("ipv4"), "ip"));
    this.#bridges.applyRules(planLocalRules(table, factsOfAll("ipv6"), "ip6"));
  }
}

/** The bridge's link: that somebody chose, else ours. */
export function bridgeLinkOf(dataRoot: string, network: LocalNetwork): string {
  const { linkName } = readBridgeOptions(network.options);
  return linkName === "" ? bridgeLinkName(dataRoot, network.id) : linkName;
}

function sharingOf(network: LocalNetwork): SharingNetwork | undefined {
  const shared = findSharedLink(network);
  return shared && { network, shared };
}

function placeOf(dataRoot: string, network: LocalNetwork): BridgePlace | undefined {
  const { ipv4, ipv6, options, driver } = network;
  if (ipv4 === undefined || driver !== "bridge") return undefined;
  const { mtu, joins } = readBridgeOptions(options);
  const { prefixLength } = subnetOf(ipv4);
  return {
    link: bridgeLinkOf(dataRoot, network),
    gateway: ipv4.gateway,
    prefixLength,
    ipv6: ipv6 && { address: ipv6.gateway, prefixLength: subnetOf(ipv6).prefixLength },
    mtu,
    joins,
  };
}

function factsOf(dataRoot: string, network: LocalNetwork, family: "ipv4" | "ipv6"): BridgeFacts[] {
  const { internal, options } = network;
  const pool = network[family];
  if (pool === undefined || network.driver !== "bridge") return [];
  const { masquerades, joins, [family]: own } = readBridgeOptions(options);
  const link = bridgeLinkOf(dataRoot, network);
  const { subnet, gateway } = pool;
  return [{ link, subnet, gateway, internal, masquerades, joins, ...own }];
}
