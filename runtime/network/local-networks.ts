import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { parseIp } from "../../core/ip.ts";
import type { Log } from "../../core/log.ts";
import type { EventSink } from "../events/types.ts";
import { attachmentFiles } from "./attachment-files.ts";
import { subnetsInUse } from "./bridge-space.ts";
import { hasIpv6 } from "./inside-links.ts";
import { bridgeLinkOf, LocalKernel } from "./local-kernel.ts";
import { LocalNames } from "./local-names.ts";
import { NetworkBook } from "./network-book.ts";
import { NetworkFiles } from "./network-files.ts";
import { checkEndpointConfig, takenAddresses } from "./plan/addresses.ts";
import { checkNoneDepends } from "./plan/config-network.ts";
import { afterRename } from "./plan/links.ts";
import { hasNames } from "./plan/local-zone.ts";
import { planEndpoint } from "./plan/new-endpoint.ts";
import { isPredefined, type NetworkCreation, planNetwork } from "./plan/new-network.ts";
import { planPredefined } from "./plan/predefined.ts";
import { isIsolated } from "./plan/shared-link.ts";
import { chooseWayIn, type WayIn } from "./ports/way-in.ts";
import type { RunFiles } from "./run-files.ts";
import type {
  Attachment,
  AttachRequest,
  Endpoint,
  EndpointConfig,
  LocalNetwork,
  MachineNetworks,
} from "./types.ts";

const ID_BYTES = 32;

export interface LocalNetworkOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventSink;
}

/**
 * The networks of this machine alone. The kernel is touched when the first container attaches or somebody makes a network,
 * not before.
 *
 * What a container has is written down before it is made and forgotten after it is gone, so that all there is without a
 * record is nobody's.
 */
export class LocalNetworks implements MachineNetworks {
  readonly #options: LocalNetworkOptions;
  readonly #book: NetworkBook;
  readonly #files: RunFiles<Attachment>;
  readonly #attachments = new Map<string, Attachment>();
  /** Addresses given last, by network. */
  readonly #lastGiven = new Map<string, { readonly ipv4: bigint; readonly ipv6: bigint }>();
  readonly #names: LocalNames;
  #kernel: LocalKernel | undefined;

  private constructor(options: LocalNetworkOptions, book: NetworkBook) {
    this.#options = options;
    this.#book = book;
    this.#names = new LocalNames(
      {
        findAttachment: (id) => this.#attachments.get(id),
        attachments: () => this.attachments(),
        findNetwork: (id) => book.get(id),
      },
      options,
    );
    this.#files = attachmentFiles(join(options.execRoot, "local-networks", "attachments"));
  }

  /** Takes up what an earlier process left: keeps what has a record, removes the rest. */
  static async open(options: LocalNetworkOptions): Promise<LocalNetworks> {
    const book = await NetworkBook.open(
      await NetworkFiles.open(join(options.dataRoot, "networks")),
    );
    const networks = new LocalNetworks(options, book);
    const attachments = networks.#files.load(options.log);
    for (const one of attachments) networks.#attachments.set(one.containerId, one);
    await networks.#ensurePredefined();
    const hasOwn = book.list().some(({ name }) => !isPredefined(name));
    if (hasOwn || attachments.length > 0 || existsSync(namespacesDir(options)))
      networks.#reconcile();
    return networks;
  }

  findAttachment(containerId: string): Attachment | undefined {
    return this.#attachments.get(containerId);
  }

  namespacePath(containerId: string): string {
    return join(namespacesDir(this.#options), containerId);
  }

  /** Where published ports of a container lead to; undefined: nowhere. */
  wayInto(containerId: string): WayIn | undefined {
    const endpoints = this.#attachments.get(containerId)?.endpoints ?? [];
    const linkOf = (network: LocalNetwork) => this.bridgeLink(network);
    return chooseWayIn(endpoints, (id) => this.#book.get(id), linkOf);
  }

  bridgeLink(network: LocalNetwork): string {
    return bridgeLinkOf(this.#options.dataRoot, network);
  }

  list(): readonly LocalNetwork[] {
    return this.#book.list();
  }

  attachments(): readonly Attachment[] {
    return [...this.#attachments.values()];
  }

  /** Its bridge is there when this resolves. @throws {ClusterError} as `planNetwork`. */
  async create(creation: NetworkCreation): Promise<LocalNetwork> {
    if (creation.ipv6 && !hasIpv6())
      throw new ClusterError("FailedPrecondition", "this machine's kernel has no IPv6");
    const planned = planNetwork(creation, this.#book.list(), {
      taken: subnetsInUse(new Set()),
      seed: randomBytes(ID_BYTES).toString("hex"),
    });
    const createdAtMs = this.#options.clock.nowMs();
    const id = randomBytes(ID_BYTES).toString("hex");
    const kernel = this.#openKernel();
    const network = kernel.withLinks({ ...planned, id, createdAtMs });
    await this.#book.put(network);
    try {
      kernel.ensureLinks(network);
    } catch (error) {
      this.#undoLinks(kernel, network);
      await this.#book.remove(network.id);
      throw error;
    }
    this.#say("create", network);
    return network;
  }

  async remove(id: string): Promise<void> {
    const network = this.#book.get(id);
    if (network === undefined) throw notFound(id);
    const { name } = network;
    if (isPredefined(name)) throw refused(`${name} is a pre-defined network and cannot be removed`);
    const users = this.attachments().flatMap((attachment) =>
      attachment.endpoints
        .filter(({ networkId }) => networkId === id)
        .map((endpoint) => `name:"${attachment.name}" id:"${endpoint.id.slice(0, 12)}"`),
    );
    if (users.length > 0)
      throw refused(
        `error while removing network: network ${name} has active endpoints (${users.join(", ")})`,
      );
    checkNoneDepends(network, this.#book.list());
    this.#openKernel().removeLinks(network);
    await this.#book.remove(id);
    this.#lastGiven.delete(id);
    this.#say("destroy", network);
  }

  /**
   * Makes a container's namespace with an interface in each of the networks. It must have none: `detach` first.
   *
   * @throws {ClusterError} NotFound, InvalidArgument, PermissionDenied (an address is taken) with Docker's words;
   *   ResourceExhausted when a network has no address left. What was made stays: `detach`.
   */
  attach(containerId: string, request: AttachRequest): Attachment {
    const { name, hostname, resolvers } = request;
    const endpoints: Endpoint[] = [];
    for (const config of request.endpoints)
      endpoints.push(this.#newEndpoint(this.#find(config.network), config, endpoints));
    const kernel = this.#openKernel();
    const attachment = { containerId, name, hostname, resolvers, endpoints };
    this.#note(attachment);
    kernel.namespaces.create(containerId);
    for (const endpoint of endpoints) this.#join(kernel, containerId, endpoint);
    kernel.settle(attachment);
    const served = this.#serveNames(kernel, attachment);
    for (const endpoint of endpoints) this.#sayOf("connect", containerId, endpoint);
    return served;
  }

  /**
   * Gives a container that is attached an interface in one more network.
   *
   * @throws {ClusterError} as `attach`; AlreadyExists when it has one.
   */
  connect(containerId: string, config: EndpointConfig): Attachment {
    const before = this.#get(containerId);
    const network = this.#find(config.network);
    if (before.endpoints.some(({ networkId }) => networkId === network.id))
      throw new ClusterError("AlreadyExists", `it is in network ${network.name} already`);
    const endpoint = this.#newEndpoint(network, config, before.endpoints);
    const kernel = this.#openKernel();
    const after = { ...before, endpoints: [...before.endpoints, endpoint] };
    this.#note(after);
    try {
      this.#join(kernel, containerId, endpoint);
      kernel.settle(after);
    } catch (error) {
      this.#leave(kernel, before, endpoint);
      throw error;
    }
    const served = this.#serveNames(kernel, after);
    this.#sayOf("connect", containerId, endpoint);
    return served;
  }

  /** Takes a container out of a network, by its name. @returns what it had there, if anything. */
  disconnect(containerId: string, networkName: string): Endpoint | undefined {
    const before = this.#get(containerId);
    const endpoint = before.endpoints.find((one) => one.networkName === networkName);
    if (endpoint === undefined) return undefined;
    const after = { ...before, endpoints: before.endpoints.filter((one) => one !== endpoint) };
    this.#leave(this.#openKernel(), after, endpoint);
    this.#sayOf("disconnect", containerId, endpoint);
    return endpoint;
  }

  /** The container is called otherwise from now on, also by those who are linked to it. */
  rename(containerId: string, oldName: string, name: string): void {
    const attachment = this.#attachments.get(containerId);
    if (attachment !== undefined) this.#note({ ...attachment, name });
    for (const other of this.attachments()) {
      const after = afterRename(other, oldName, name);
      if (after !== other) this.#note(after);
    }
  }

  /** Removes all a container has of networks. No error when there is nothing. */
  detach(containerId: string): void {
    const attachment = this.#attachments.get(containerId);
    if (attachment === undefined) return;
    const kernel = this.#openKernel();
    for (const endpoint of attachment.endpoints) kernel.abandon(containerId, endpoint);
    this.#names.stop(containerId);
    kernel.namespaces.giveUp(containerId);
    this.#files.remove(containerId);
    this.#attachments.delete(containerId);
    this.#names.forget(attachment);
    for (const endpoint of attachment.endpoints) this.#sayOf("disconnect", containerId, endpoint);
  }

  /** Writes the rules again where the kernel has others. @returns whether it had. */
  verify(): boolean {
    return this.#kernel?.verify() ?? false;
  }

  /** Lets go of the kernel; all stays as it is and serves on. */
  close(): void {
    this.#names.close();
    this.#kernel?.close();
    this.#kernel = undefined;
  }

  /** Half made ones go; what does not is told. */
  #undoLinks(kernel: LocalKernel, network: LocalNetwork): void {
    try {
      kernel.removeLinks(network);
    } catch (error) {
      const reason = errorMessage(error);
      this.#options.log.warn("cannot remove the links of a network that could not be made", {
        ...{ network: network.name, reason },
      });
    }
  }

  /** Everything that must be there and is not is made again; what nobody has goes. */
  #reconcile(): void {
    const kernel = this.#openKernel();
    const isolated = this.#book.list().filter(isIsolated);
    const known = [...this.#attachments.keys(), ...isolated.map(({ id }) => id)];
    kernel.namespaces.removeOthers(new Set(known));
    for (const network of this.#book.list()) {
      try {
        this.#reconcileNetwork(kernel, network);
      } catch (error) {
        const reason = errorMessage(error);
        this.#options.log.warn("cannot take up a network", { network: network.name, reason });
      }
    }
    for (const attachment of this.attachments()) this.#resumeNames(kernel, attachment);
  }

  #reconcileNetwork(kernel: LocalKernel, network: LocalNetwork): void {
    if (network.driver !== "bridge") {
      kernel.ensureLinks(network);
      return;
    }
    const ofNetwork = this.attachments().filter(({ endpoints }) =>
      endpoints.some(({ networkId }) => networkId === network.id),
    );
    const isIdle = isPredefined(network.name) && ofNetwork.length === 0;
    if (isIdle && !kernel.hasBridge(network)) return;
    kernel.ensureLinks(network);
    const links = this.attachments().flatMap(({ endpoints }) => endpoints.map(({ link }) => link));
    kernel.removeOtherPorts(network, new Set(links));
    for (const attachment of ofNetwork) this.#rejoin(kernel, network, attachment);
  }

  #rejoin(kernel: LocalKernel, network: LocalNetwork, attachment: Attachment): void {
    const { log } = this.#options;
    const { containerId, endpoints } = attachment;
    const endpoint = endpoints.find(({ networkId }) => networkId === network.id);
    if (endpoint === undefined || kernel.hasPort(network, endpoint)) return;
    if (!kernel.namespaces.has(containerId)) return;
    try {
      kernel.join(network, containerId, endpoint);
      kernel.settle(attachment);
      log.info("joined a container to its network again", { container: containerId });
    } catch (error) {
      const reason = errorMessage(error);
      log.warn("cannot join a container to its network", { container: containerId, reason });
    }
  }

  #join(kernel: LocalKernel, containerId: string, endpoint: Endpoint): void {
    const network = this.#book.get(endpoint.networkId);
    if (network === undefined) return;
    kernel.ensureLinks(network);
    kernel.join(network, containerId, endpoint);
  }

  /** Takes an interface away, then forgets it. */
  #leave(kernel: LocalKernel, after: Attachment, endpoint: Endpoint): void {
    kernel.cut(after.containerId, endpoint);
    kernel.settle(after);
    this.#note(after);
  }

  /** One that has names to ask for is served from now on. */
  #serveNames(kernel: LocalKernel, attachment: Attachment): Attachment {
    const { containerId, endpoints, dnsPorts } = attachment;
    if (!hasNames(endpoints) || this.#names.isServing(containerId)) return attachment;
    const ports = kernel.inside(containerId, (fd) => this.#names.serve(containerId, fd, dnsPorts));
    const served = { ...attachment, dnsPorts: ports };
    this.#note(served);
    return served;
  }

  #resumeNames(kernel: LocalKernel, attachment: Attachment): void {
    const { containerId } = attachment;
    if (!kernel.namespaces.has(containerId)) return;
    try {
      this.#serveNames(kernel, attachment);
    } catch (error) {
      const reason = errorMessage(error);
      this.#options.log.warn("cannot serve names", { container: containerId, reason });
    }
  }

  #note(attachment: Attachment): void {
    const { containerId } = attachment;
    this.#names.forget(this.#attachments.get(containerId), attachment);
    this.#files.put(attachment);
    this.#attachments.set(attachment.containerId, attachment);
  }

  #newEndpoint(
    network: LocalNetwork,
    config: EndpointConfig,
    others: readonly Endpoint[],
  ): Endpoint {
    checkEndpointConfig(network, config);
    const last = this.#lastGiven.get(network.id) ?? { ipv4: 0n, ipv6: 0n };
    const endpoint = planEndpoint(network, config, {
      id: randomBytes(ID_BYTES).toString("hex"),
      portSeed: randomBytes(ID_BYTES).toString("hex"),
      taken: takenAddresses(network, this.#attachments.values()),
      lastIpv4: last.ipv4,
      lastIpv6: last.ipv6,
      interfaces: new Set(others.map((one) => one.interface)),
    });
    this.#lastGiven.set(network.id, {
      ipv4: config.ipv4 === "" ? numberOf(endpoint.address) : last.ipv4,
      ipv6: config.ipv6 === "" ? numberOf(endpoint.ipv6?.address ?? "") : last.ipv6,
    });
    return endpoint;
  }

  #get(containerId: string): Attachment {
    const attachment = this.#attachments.get(containerId);
    if (attachment !== undefined) return attachment;
    throw new ClusterError("FailedPrecondition", `container ${containerId} has no network`);
  }

  #find(name: string): LocalNetwork {
    const network = this.#book.named(name);
    if (network !== undefined) return network;
    throw notFound(name);
  }

  /** The default network keeps its subnet as long as nobody else on this machine uses it. */
  async #ensurePredefined(): Promise<void> {
    const known = this.#book.list();
    const used = this.attachments().flatMap(({ endpoints }) => endpoints);
    const own = new Set(known.map((one) => this.bridgeLink(one)));
    const needed = planPredefined(known, {
      usedNetworkIds: new Set(used.map(({ networkId }) => networkId)),
      taken: subnetsInUse(own),
      newId: () => randomBytes(ID_BYTES).toString("hex"),
      nowMs: this.#options.clock.nowMs(),
    });
    for (const network of needed) await this.#book.put(network);
  }

  #openKernel(): LocalKernel {
    const { dataRoot } = this.#options;
    this.#kernel ??= new LocalKernel(dataRoot, namespacesDir(this.#options), this.#options);
    return this.#kernel;
  }

  #sayOf(action: string, containerId: string, { networkId }: Endpoint): void {
    const network = this.#book.get(networkId);
    if (network !== undefined) this.#say(action, network, { container: containerId });
  }

  /** Source: moby, daemon/events.go, LogNetworkEventWithAttributes. */
  #say(action: string, network: LocalNetwork, more: Readonly<Record<string, string>> = {}): void {
    const { id, name, driver } = network;
    const attributes = { ...more, name, type: driver };
    this.#options.events.publish({ type: "network", action, actorId: id, attributes });
  }
}

function namespacesDir({ execRoot }: LocalNetworkOptions): string {
  return join(execRoot, "local-networks", "netns");
}

function numberOf(address: string): bigint {
  return parseIp(address)?.number ?? 0n;
}

function notFound(name: string): ClusterError {
  return new ClusterError("NotFound", `network ${name.slice(0, 100)} not found`);
}

function refused(message: string): ClusterError {
  return new ClusterError("PermissionDenied", message);
}
