import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import {
  addBridge,
  addVeth,
  decodeLink,
  deleteLinks,
  disablePort,
  dumpLinks,
  enslave,
  type Link,
  setUp,
} from "../linux/netlink/link.ts";
import {
  addAddress,
  addRoute,
  decodeAddress,
  decodeRoute,
  deleteAddress,
  dumpAddresses,
  dumpRoutes,
} from "../linux/netlink/route.ts";
import { isGone, NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { inNamespace } from "../linux/netns.ts";
import { setSysctl } from "../linux/sysctl.ts";
import { type Cidr, parseCidr } from "./plan/cidr.ts";
import { planForwardRules } from "./plan/forward-rules.ts";
import { macOf } from "./plan/link-names.ts";
import { LOOPBACK_INDEX } from "./plan/loopback.ts";
import type { Ruleset } from "./plan/ruleset.ts";
import { RuleSpace } from "./rule-space.ts";
import type { Endpoint } from "./types.ts";

const MTU = 1500;
const DELETION_GROUP = 0x6d62;
const PORT = { learning: true, flood: true, isolated: false } as const;
/** The container's only interface. */
const INTERFACE = "eth0";
const INTERFACE_INDEX = 2;

/** Where a bridge is and what it is called. */
export interface BridgePlace {
  readonly link: string;
  readonly gateway: string;
  readonly prefixLength: number;
}

/** The bridges in the daemon's own namespace, with their ports and rules. */
export class BridgeSpace {
  readonly #socket: NetlinkSocket;
  readonly #rules: RuleSpace;
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
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Makes the bridge, or makes the one there is as it should be. @returns whether anything had to be done for the first time. */
  ensureBridge({ link, gateway, prefixLength }: BridgePlace): boolean {
    if (this.#ready.has(link)) return false;
    const found = this.#links().find((one) => one.name === link);
    if (found === undefined)
      this.#socket.run([addBridge({ name: link, index: 0, mtu: MTU, mac: macOf(gateway) })]);
    const index = found?.index ?? this.#indexOf(link);
    const addresses = this.#socket.dump(dumpAddresses()).map(decodeAddress);
    const stale = addresses.filter((one) => one.index === index && one.address !== gateway);
    this.#socket.run([
      ...stale.map(deleteAddress),
      addAddress({ index, address: gateway, prefixLength }),
      setUp(index),
    ]);
    this.#allowForwarding(link);
    this.#ready.set(link, index);
    return true;
  }

  hasBridge(link: string): boolean {
    return this.#links().some(({ name }) => name === link);
  }

  /** Whether a container's interface is in its bridge. */
  hasPort(bridge: string, port: string): boolean {
    const links = this.#links();
    const master = links.find(({ name }) => name === bridge)?.index;
    return links.some((link) => link.name === port && link.master === master);
  }

  /** Joins a container's namespace to the bridge and gives it address and way out. */
  addPort(bridge: string, endpoint: Endpoint, namespaceFd: number): void {
    const { link: name, mac, address, prefixLength, gateway } = endpoint;
    const index = this.#nextIndex();
    const peer = { name: INTERFACE, index: INTERFACE_INDEX, mac, netnsFd: namespaceFd };
    this.#socket.run([
      addVeth({ name, index, mtu: MTU, peer }),
      ...enslave(index, this.#ready.get(bridge) ?? 0, PORT),
    ]);
    const inside = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Route));
    try {
      inside.run([
        setUp(LOOPBACK_INDEX),
        addAddress({ index: INTERFACE_INDEX, address, prefixLength }),
        setUp(INTERFACE_INDEX),
        addRoute({ destination: "0.0.0.0", prefixLength: 0, gateway, index: INTERFACE_INDEX }),
      ]);
    } finally {
      inside.close();
    }
  }

  /** Nothing passes any more; the kernel removes the port itself when the namespace at its other end goes. */
  closePort(port: string): void {
    const link = this.#links().find(({ name }) => name === port);
    if (link === undefined) return;
    const failed = this.#socket.batch([disablePort(link.index)]).find((one) => !isGone(one));
    if (failed !== undefined) throw failed.error;
  }

  /** Removes ports of a bridge that nobody has. */
  removeOtherPorts(bridge: string, known: ReadonlySet<string>): void {
    const master = this.#ready.get(bridge);
    const strays = this.#links().filter((link) => link.master === master && !known.has(link.name));
    const failed = this.#socket
      .batch(deleteLinks(strays, DELETION_GROUP))
      .find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
  }

  applyRules(rules: Ruleset): void {
    this.#rules.apply(rules);
  }

  close(): void {
    this.#socket.close();
    this.#rules.close(this.#clock);
  }

  #links(): Link[] {
    return this.#socket.dump(dumpLinks()).map(decodeLink);
  }

  #indexOf(name: string): number {
    return this.#links().find((link) => link.name === name)?.index ?? 0;
  }

  #nextIndex(): number {
    return Math.max(...this.#links().map(({ index }) => index)) + 1;
  }

  /** Containers' packets pass through this machine, also where another's FORWARD chain drops by default. */
  #allowForwarding(link: string): void {
    if (setSysctl("net/ipv4/ip_forward", "1"))
      this.#log.info("set sysctl", { name: "net/ipv4/ip_forward", value: "1" });
    const table = this.#rules.findTable("ip", "filter") ?? "";
    for (const command of planForwardRules(table, [link]).add) {
      this.#rules.run(command);
      this.#log.info("let containers' packets through the FORWARD chain", { command });
    }
  }
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
