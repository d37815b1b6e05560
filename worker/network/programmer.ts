import { closeSync } from "node:fs";
import { InvariantError } from "../../core/assert.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import { NetlinkSocket, Protocol } from "../../runtime/linux/netlink/socket.ts";
import { openNamespace } from "../../runtime/linux/netns.ts";
import type { NamespaceFiles } from "../../runtime/network/namespace-files.ts";
import { parseCidr } from "../../runtime/network/plan/cidr.ts";
import type { DnsPorts } from "../../runtime/network/plan/dns-rules.ts";
import { freeAddress } from "../../runtime/network/plan/gateway-subnet.ts";
import { Fabric } from "./fabric.ts";
import { Host } from "./host.ts";
import { type HostPort, ingressPorts, protocolName } from "./plan/host-rules.ts";
import { EMPTY_LAYOUT, type PairLink } from "./plan/layout.ts";
import {
  bridgeName,
  FABRIC_NAMESPACE,
  gatewayPortName,
  INGRESS_PORT,
  portName,
} from "./plan/names.ts";
import { ingressAddress, planOverlay } from "./plan/overlay.ts";
import type { PlacedSandbox } from "./plan/sandbox-links.ts";
import { recordedSandbox, sandboxRecord } from "./sandbox-record.ts";
import { type SandboxServices, SandboxSpace } from "./sandbox-space.ts";
import type { ServedPorts } from "./served-ports.ts";
import type { StateFiles } from "./state-files.ts";
import type { TableBook } from "./table-book.ts";
import type { NodeFacts, SandboxSpec } from "./types.ts";

/** A bridge has at most 1024 ports; the local one has a port for each sandbox. */
export const SANDBOXES_MAX = 1000;

export interface ProgrammerOptions {
  readonly namespaces: NamespaceFiles;
  readonly files: StateFiles;
  readonly tables: TableBook;
  readonly ports: ServedPorts;
  readonly services: SandboxServices;
}

/** One thing to do on its own; the others go on when it fails. */
export interface Step {
  /** What it does, to which object, for the error. */
  readonly action: string;
  run(): unknown;
}

/**
 * Writes what tables and sandboxes ask for into the kernel. Everything is synchronous, a millisecond or so at a time.
 *
 * Nothing here decides: layouts and rules come from plan/.
 */
export class Programmer {
  readonly #options: ProgrammerOptions;
  readonly #namespaceFd: number;
  readonly #socket: NetlinkSocket;
  readonly #host: Host;
  readonly #fabric: Fabric;
  readonly #placed = new Map<string, PlacedSandbox>();
  readonly #spaces = new Map<string, SandboxSpace>();
  #node: NodeFacts | undefined;
  #underlayMtu = 0;

  /** Makes or takes over the node's namespaces and the sandboxes a former daemon left. */
  constructor(options: ProgrammerOptions) {
    this.#options = options;
    this.#namespaceFd = openNamespace();
    this.#socket = new NetlinkSocket(Protocol.Route);
    const openPeer = (peer: PairLink["peer"]["namespace"]) =>
      peer.kind === "host" ? openNamespace() : openNamespace(options.namespaces.path(peer.id));
    const { clock, log } = options.services;
    this.#host = new Host({
      socket: this.#socket,
      namespaceFd: this.#namespaceFd,
      openPeer,
      clock,
      log,
    });
    const path = options.namespaces.path(FABRIC_NAMESPACE);
    this.#fabric = new Fabric({ path, underlay: this.#socket, openPeer });
    this.#adopt();
  }

  sandboxes(): PlacedSandbox[] {
    return [...this.#placed.values()];
  }

  find(id: string): PlacedSandbox | undefined {
    return this.#placed.get(id);
  }

  setNode(node: NodeFacts): void {
    this.#node = node;
    this.#underlayMtu = this.#host.underlayMtu(node.dataAddress);
  }

  /** All that must be written when these networks changed. `left`: addresses that serve no more. */
  networkSteps(changes: ReadonlyMap<string, ReadonlySet<string>>): Step[] {
    const ids = [...changes.keys()];
    const left = new Set([...changes.values()].flatMap((addresses) => [...addresses]));
    const affected = [...this.#spaces.values()].filter((space) =>
      networkIds(space.placed.spec).some((id) => changes.has(id)),
    );
    const ingress = this.#options.tables.findIngress()?.networkId;
    const steps = ids.map((id) => ({
      action: `set up network ${id}`,
      run: () => this.#applyOverlay(id),
    }));
    for (const space of affected)
      steps.push({
        action: `write the rules of sandbox ${space.placed.spec.id}`,
        run: () => {
          this.#applyTables(space);
          if (left.size > 0) space.forgetUdpFlows(left);
        },
      });
    if (ingress !== undefined && changes.has(ingress))
      steps.push({
        action: "write the rules of published ports",
        run: () => {
          this.#applyHostRules();
          if (left.size > 0 && this.#publishesUdp()) this.#host.forgetUdpFlows(left);
        },
      });
    return steps;
  }

  /** Reads the kernel again and brings all of it to what is wanted; groups may be run at different times. */
  *repairSteps(): Generator<Step[]> {
    yield [
      { action: "read the kernel's links", run: () => this.#refresh() },
      { action: "remove networks not needed", run: () => this.#removeUnknownBridges() },
      { action: "set up the local bridge", run: () => this.#applyGateway() },
      ...this.networkSteps(this.#everyNetwork()),
      { action: "write the rules of host ports", run: () => this.#applyHostRules() },
      { action: "check the rules of this machine", run: () => this.#host.verify() },
    ];
    for (const id of [...this.#spaces.keys()])
      yield [
        {
          action: `check the rules of sandbox ${id}`,
          run: () => this.#spaces.get(id)?.verify(),
        },
      ];
  }

  /** Makes a sandbox. Leaves nothing when it fails. */
  makeSandbox(spec: SandboxSpec): PlacedSandbox {
    const placed = this.#place(spec);
    try {
      this.#options.ports.take(spec.id, spec.hostPorts);
      this.#options.namespaces.create(spec.id);
      this.#placed.set(spec.id, placed);
      for (const id of networkIds(spec)) this.#applyOverlay(id);
      this.#applyGateway();
      const space = this.#takeOver(placed, { udp: 0, tcp: 0 });
      space.applyLinks(this.#host.gateway);
      if (spec.hostPorts.length > 0) this.#applyHostRules();
      this.#options.files.putSandbox(sandboxRecord(placed, space.ports));
      return placed;
    } catch (error) {
      for (const step of this.dropSteps(spec.id)) attempt(step);
      throw error;
    }
  }

  /** All that removes a sandbox, each on its own and as often as needed. */
  dropSteps(id: string): Step[] {
    const placed = this.#placed.get(id);
    const networks = placed === undefined ? [] : networkIds(placed.spec);
    return [
      { action: `stop serving sandbox ${id}`, run: () => this.#stopServing(id) },
      { action: `give up namespace ${id}`, run: () => this.#giveUpNamespace(id, networks) },
      { action: "remove its port at the local bridge", run: () => this.#applyGateway() },
      ...networks.map((network) => ({
        action: `remove its port in network ${network}`,
        run: () => this.#applyOverlay(network),
      })),
      { action: "close its host ports", run: () => this.#applyHostRules() },
      { action: "give back its host ports", run: () => this.#options.ports.release(id) },
      { action: `forget sandbox ${id}`, run: () => this.#options.files.removeSandbox(id) },
    ];
  }

  /** Networks that sandboxes are in. */
  networksInUse(): Set<string> {
    return new Set(this.sandboxes().flatMap(({ spec }) => networkIds(spec)));
  }

  /** Stops serving; the kernel goes on. */
  close(): void {
    for (const space of this.#spaces.values()) space.close();
    this.#spaces.clear();
    this.#options.ports.close();
    this.#fabric.close();
    this.#host.close();
    this.#socket.close();
    closeSync(this.#namespaceFd);
  }

  /** Everything this node's data plane ever made. `close` comes after it. */
  cleanupSteps(): Step[] {
    return [
      ...[...this.#placed.keys()].flatMap((id) => this.dropSteps(id)),
      // Interfaces left to the kernel are found again and not left to it this time.
      { action: "read the kernel's links", run: () => this.#refresh() },
      { action: "remove bridges and tunnels", run: () => this.#fabric.cleanup() },
      { action: "remove rules and the local bridge", run: () => this.#host.cleanup() },
    ];
  }

  #refresh(): void {
    this.#host.refresh();
    this.#fabric.refresh();
  }

  /** Sandboxes with a record are whole; others are half made, or the machine was restarted: nothing of them is left. */
  #adopt(): void {
    const { namespaces, files } = this.#options;
    for (const record of files.sandboxes()) {
      if (!namespaces.has(record.id)) {
        files.removeSandbox(record.id);
        continue;
      }
      const { placed, ports } = recordedSandbox(record);
      this.#placed.set(record.id, placed);
      this.#options.ports.takeBack(record.id, placed.spec.hostPorts);
      this.#takeOver(placed, ports);
    }
    namespaces.removeOthers(new Set([FABRIC_NAMESPACE, ...this.#placed.keys()]));
  }

  /** Starts serving a sandbox whose namespace is there. */
  #takeOver(placed: PlacedSandbox, ports: DnsPorts): SandboxSpace {
    const { namespaces, services } = this.#options;
    const path = namespaces.path(placed.spec.id);
    const space = new SandboxSpace(path, placed, { ports, services });
    this.#spaces.set(placed.spec.id, space);
    this.#applyTables(space);
    return space;
  }

  #stopServing(id: string): void {
    const space = this.#spaces.get(id);
    this.#spaces.delete(id);
    this.#placed.delete(id);
    space?.close();
  }

  #giveUpNamespace(id: string, networks: readonly string[]): void {
    this.#options.namespaces.giveUp(id);
    this.#host.letGo(gatewayPortName(id));
    for (const network of networks) this.#fabric.letGo(bridgeName(network), portName(id, network));
  }

  #place(spec: SandboxSpec): PlacedSandbox {
    if (!this.#hasWayOut(spec)) return { spec, gatewayAddress: undefined };
    const taken = new Set(this.sandboxes().flatMap(({ gatewayAddress }) => gatewayAddress ?? []));
    const { subnet } = this.#host.gateway;
    return { spec, gatewayAddress: freeAddress(subnet, taken, SANDBOXES_MAX) };
  }

  /** Sandboxes that are only in internal networks reach nothing else. */
  #hasWayOut(spec: SandboxSpec): boolean {
    const tables = networkIds(spec).map((id) => this.#options.tables.find(id));
    return tables.length === 0 || tables.some((table) => table?.network?.internal !== true);
  }

  #applyOverlay(networkId: string): void {
    const table = this.#options.tables.find(networkId);
    if (this.#node === undefined) return;
    // Not knowing a network that sandboxes are in is no reason to cut them off.
    if (table === undefined && this.networksInUse().has(networkId)) return;
    const facts = {
      node: this.#node,
      underlayMtu: this.#underlayMtu,
      sandboxes: this.sandboxes().map(({ spec }) => spec),
    };
    const layout = table === undefined ? EMPTY_LAYOUT : planOverlay(table, facts);
    const made = new Set(this.#fabric.apply(bridgeName(networkId), layout));
    this.#setUpPeers(made, (id) => portName(id, networkId));
    if (table !== undefined && made.has(INGRESS_PORT)) this.#applyIngressAddress(table);
  }

  #applyGateway(): void {
    const made = new Set(this.#host.applyGateway(this.sandboxes()));
    this.#setUpPeers(made, gatewayPortName);
  }

  /** Interfaces made again in sandboxes that are there; a sandbox being made sets up all of its own at the end. */
  #setUpPeers(made: ReadonlySet<string>, nameOf: (sandboxId: string) => string): void {
    for (const [id, space] of this.#spaces)
      if (made.has(nameOf(id))) space.applyLinks(this.#host.gateway);
  }

  #applyIngressAddress(table: EndpointTable): void {
    const address = ingressAddress(table, this.#node?.nodeId ?? "");
    const subnet = table.network?.ipam[0]?.subnet;
    if (address === undefined || subnet === undefined) return;
    this.#host.applyIngressAddress(address, parseCidr(subnet).prefixLength);
  }

  #applyTables(space: SandboxSpace): void {
    const { tables } = this.#options;
    const ids = networkIds(space.placed.spec);
    space.applyTables(
      ids.flatMap((id) => tables.find(id) ?? []),
      ids.flatMap((id) => tables.findZone(id) ?? []),
    );
  }

  #applyHostRules(): void {
    const table = this.#options.tables.findIngress();
    const address = table && ingressAddress(table, this.#node?.nodeId ?? "");
    const hasIngress = table !== undefined && address !== undefined;
    const withheld = this.#options.ports.settleIngress(hasIngress ? ingressPorts(table) : []);
    const ingress = hasIngress ? { table, address, withheld } : undefined;
    this.#host.applyRules({ hostPorts: this.#hostPorts(), ingress });
  }

  #hostPorts(): HostPort[] {
    return this.sandboxes().flatMap(({ spec, gatewayAddress }) =>
      gatewayAddress === undefined
        ? []
        : spec.hostPorts.map((port) => ({ port, address: gatewayAddress })),
    );
  }

  #publishesUdp(): boolean {
    const services = this.#options.tables.findIngress()?.services ?? [];
    return services.some((service) => service.ports.some((port) => protocolName(port) === "udp"));
  }

  #everyNetwork(): Map<string, ReadonlySet<string>> {
    const ids = [...this.#options.tables.all().map((table) => table.networkId)];
    return new Map([...ids, ...this.networksInUse()].map((id) => [id, new Set<string>()]));
  }

  #removeUnknownBridges(): void {
    const known = new Set([...this.#everyNetwork().keys()].map(bridgeName));
    for (const bridge of this.#fabric.bridges())
      if (!known.has(bridge)) this.#fabric.apply(bridge, EMPTY_LAYOUT);
  }
}

/** Runs a step; what it throws, if it does. */
export function attempt(step: Step): unknown {
  try {
    step.run();
    return undefined;
  } catch (error) {
    // A broken promise of our own code stops the process.
    if (error instanceof InvariantError) throw error;
    return error;
  }
}

function networkIds(spec: SandboxSpec): string[] {
  return spec.attachments.map((attachment) => attachment.networkId);
}
