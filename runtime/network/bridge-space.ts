import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import {
  addBridge,
  addVeth,
  decodeLink,
  deleteLinks,
  disablePort,
  dumpLinks,
  isolatePort,
  type Link,
  setUp,
} from "../linux/netlink/link.ts";
import {
  addAddress,
  decodeAddress,
  decodeRoute,
  deleteAddress,
  dumpAddresses,
  dumpRoutes,
  type InterfaceAddress,
} from "../linux/netlink/route.ts";
import { isGone, NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { setSysctl } from "../linux/sysctl.ts";
import { type Cidr, parseCidr } from "./plan/cidr.ts";
import { planForwardRules } from "./plan/forward-rules.ts";
import { macOf } from "./plan/link-names.ts";
import type { NftFamily, Ruleset } from "./plan/ruleset.ts";
import { RuleSpace } from "./rule-space.ts";
import type { Endpoint } from "./types.ts";

const DELETION_GROUP = 0x6d62;

/** Where a bridge is and what it is called. */
export interface BridgePlace {
  readonly link: string;
  readonly gateway: string;
  readonly prefixLength: number;
  readonly ipv6: { readonly address: string; readonly prefixLength: number } | undefined;
  readonly mtu: number;
  /** Its ports reach each other. */
  readonly joins: boolean;
}

/** The bridges in the daemon's own namespace, with their ports and rules. */
export class BridgeSpace {
  readonly #socket: NetlinkSocket;
  readonly #rules: RuleSpace;
  /** Of IPv6; undefined until somebody has it. */
  #ipv6Rules: RuleSpace | undefined;
  readonly #namespaceFd: number;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Indexes of the bridges that are as they should be. */
  readonly #ready = new Map<string, number>();

  /** @param namespaceFd the daemon's own; stays the caller's and must stay open. */
  constructor(
    namespaceFd: number,
    options: { readonly table: string; readonly clock: Clock; readonly log: Log },
  ) {
    this.#socket = new NetlinkSocket(Protocol.Route);
    this.#rules = new RuleSpace(namespaceFd, options.table);
    this.#namespaceFd = namespaceFd;
    this.#table = options.table;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Makes the bridge, or makes the one there is as it should be. @returns whether anything had to be done for the first time. */
  ensureBridge({ link, gateway, prefixLength, ipv6, mtu }: BridgePlace): boolean {
    if (this.#ready.has(link)) return false;
    const found = this.#links().find((one) => one.name === link);
    if (found !== undefined && found.kind !== "bridge") throw notOurs(link);
    if (found === undefined)
      this.#socket.run([addBridge({ name: link, index: 0, mtu, mac: macOf(gateway) })]);
    const index = found?.index ?? this.#indexOf(link);
    const addresses = this.#socket.dump(dumpAddresses()).map(decodeAddress);
    const stale = addresses.filter((one) => one.index === index && one.address !== gateway);
    this.#socket.run([
      ...stale.map(deleteAddress),
      addAddress({ index, address: gateway, prefixLength }),
      setUp(index),
    ]);
    this.#allowForwarding(link);
    if (ipv6 !== undefined) this.#addIpv6(link, { ...ipv6, index });
    this.#ready.set(link, index);
    return true;
  }

  hasLink(link: string): boolean {
    return this.#links().some(({ name }) => name === link);
  }

  /** Removes the bridge. No error when there is none. */
  removeBridge(link: string): void {
    this.#ready.delete(link);
    this.#delete(this.#links().filter(({ name, kind }) => name === link && kind === "bridge"));
  }

  /** @throws {ClusterError} PermissionDenied when there is a link of that name already. */
  checkUnused(link: string): void {
    if (this.#links().some(({ name }) => name === link)) throw notOurs(link);
  }

  /** Whether a container's interface is in its bridge. */
  hasPort(bridge: string, port: string): boolean {
    const links = this.#links();
    const master = links.find(({ name }) => name === bridge)?.index;
    return links.some((link) => link.name === port && link.master === master);
  }

  /** Puts an interface, down and without address, into a container's namespace, with its other end in the bridge. */
  addPort(bridge: BridgePlace, endpoint: Endpoint, namespaceFd: number): void {
    const { link: name, mac, interface: inside } = endpoint;
    const { mtu, joins } = bridge;
    const peer = { name: inside, index: 0, mac, netnsFd: namespaceFd };
    const master = this.#ready.get(bridge.link) ?? 0;
    this.#socket.run([
      addVeth({ name, index: 0, mtu, master, peer }),
      ...(joins ? [] : [isolatePort(name)]),
    ]);
  }

  /** Removes the port and the interface at its other end, whose namespace stays. No error when there is none. */
  removePort(port: string): void {
    this.#delete(this.#links().filter(({ name }) => name === port));
  }

  /** Nothing passes any more; the kernel removes the port itself when the namespace at its other end goes. */
  closePort(port: string): void {
    const failed = this.#socket.batch([disablePort(port)]).find((one) => !isGone(one));
    if (failed !== undefined) throw failed.error;
  }

  /** Removes ports of a bridge that nobody has. */
  removeOtherPorts(bridge: string, known: ReadonlySet<string>): void {
    const master = this.#ready.get(bridge);
    const strays = this.#links().filter((link) => link.master === master && !known.has(link.name));
    this.#delete(strays);
  }

  applyRules(rules: Ruleset): void {
    if (rules.family !== "ip6") {
      this.#rules.apply(rules);
      return;
    }
    if (this.#ipv6Rules === undefined && rules.hooks.size === 0) return;
    this.#ipv6Rules ??= new RuleSpace(this.#namespaceFd, this.#table, "ip6");
    this.#ipv6Rules.apply(rules);
  }

  /** Sets right what others have changed of the rules. @returns whether ours had to be written again. */
  verifyRules(): boolean {
    const spaces = [this.#rules, ...(this.#ipv6Rules === undefined ? [] : [this.#ipv6Rules])];
    for (const link of this.#ready.keys()) {
      this.#passForward("ip", link);
      if (this.#ipv6Rules !== undefined) this.#passForward("ip6", link);
    }
    return spaces.map((space) => space.verify()).includes(true);
  }

  close(): void {
    this.#socket.close();
    this.#rules.close(this.#clock);
    this.#ipv6Rules?.close(this.#clock);
  }

  #links(): Link[] {
    return this.#socket.dump(dumpLinks()).map(decodeLink);
  }

  #delete(links: readonly Link[]): void {
    const failures = this.#socket.batch(deleteLinks(links, DELETION_GROUP));
    const failed = failures.find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
  }

  #indexOf(name: string): number {
    return this.#links().find((link) => link.name === name)?.index ?? 0;
  }

  #addIpv6(link: string, entry: InterfaceAddress): void {
    for (const [name, value] of [
      [`net/ipv6/conf/${link}/disable_ipv6`, "0"],
      [`net/ipv6/conf/${link}/accept_ra`, "0"],
      ["net/ipv6/conf/all/forwarding", "1"],
    ] as const)
      if (setSysctl(name, value)) this.#log.info("set sysctl", { name, value });
    this.#socket.run([addAddress(entry)]);
    this.#passForward("ip6", link);
  }

  /** Containers' packets pass through this machine, also where another's FORWARD chain drops by default. */
  #allowForwarding(link: string): void {
    if (setSysctl("net/ipv4/ip_forward", "1"))
      this.#log.info("set sysctl", { name: "net/ipv4/ip_forward", value: "1" });
    this.#passForward("ip", link);
  }

  #passForward(family: NftFamily, link: string): void {
    const table = this.#rules.findTable(family, "filter") ?? "";
    for (const command of planForwardRules(table, [link], family).add) {
      this.#rules.run(command);
      this.#log.info("let containers' packets through the FORWARD chain", { command });
    }
  }
}

function notOurs(link: string): ClusterError {
  const message = `cannot use ${link} as the bridge of a network: there is a link of that name`;
  return new ClusterError("PermissionDenied", message);
}

/** Subnets this machine uses or has routes to, but for those on the links named. */
export function subnetsInUse(except: ReadonlySet<string>): Cidr[] {
  const socket = new NetlinkSocket(Protocol.Route);
  try {
    const own = new Set(
      socket
        .dump(dumpLinks())
        .map(decodeLink)
        .filter(({ name }) => except.has(name))
        .map(({ index }) => index),
    );
    const addresses = socket.dump(dumpAddresses()).map(decodeAddress);
    const routes = socket.dump(dumpRoutes()).flatMap((message) => decodeRoute(message) ?? []);
    return [
      ...addresses.map(({ index, address, prefixLength }) => ({ index, address, prefixLength })),
      ...routes
        .filter(({ prefixLength }) => prefixLength > 0)
        .map(({ index, destination: address, prefixLength }) => ({ index, address, prefixLength })),
    ]
      .filter(({ index }) => !own.has(index))
      .map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`));
  } finally {
    socket.close();
  }
}
