import { randomBytes } from "node:crypto";
import { closeSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { openNamespace } from "../linux/netns.ts";
import { AttachmentFiles } from "./attachment-files.ts";
import { type BridgePlace, BridgeSpace, subnetsInUse } from "./bridge-space.ts";
import { NamespaceFiles } from "./namespace-files.ts";
import { NetworkFiles } from "./network-files.ts";
import {
  bridgeLinkName,
  chooseAddress,
  localTableName,
  portLinkName,
  subnetOf,
  takenAddresses,
} from "./plan/bridge.ts";
import { ipv4Address, ipv4Number, overlaps } from "./plan/cidr.ts";
import { chooseNetworkSubnet, gatewayOf } from "./plan/gateway-subnet.ts";
import { macOf } from "./plan/link-names.ts";
import { planLocalRules } from "./plan/local-rules.ts";
import {
  type Attachment,
  DEFAULT_NETWORK,
  type Endpoint,
  type LocalNetwork,
  type LocalNetworkView,
} from "./types.ts";

const ID_BYTES = 32;

export interface LocalNetworkOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The networks of this machine alone. The kernel is touched when the first container attaches, not before.
 *
 * What a container has is written down before it is made and forgotten after it is gone, so that all there is without a
 * record is nobody's.
 */
export class LocalNetworks implements LocalNetworkView {
  readonly #options: LocalNetworkOptions;
  readonly #networkFiles: NetworkFiles;
  readonly #networks = new Map<string, LocalNetwork>();
  readonly #attachments = new Map<string, Attachment>();
  /** Of the address given last, by network. */
  readonly #lastGiven = new Map<string, number>();
  #kernel: Kernel | undefined;

  private constructor(options: LocalNetworkOptions, files: NetworkFiles) {
    this.#options = options;
    this.#networkFiles = files;
  }

  /** Takes up what an earlier process left: keeps what has a record, removes the rest. */
  static async open(options: LocalNetworkOptions): Promise<LocalNetworks> {
    const files = await NetworkFiles.open(join(options.dataRoot, "networks"));
    const networks = new LocalNetworks(options, files);
    for (const network of await files.load()) networks.#networks.set(network.id, network);
    const attachments = new AttachmentFiles(attachmentsDir(options)).load(options.log);
    for (const one of attachments) networks.#attachments.set(one.containerId, one);
    await networks.#ensureDefault();
    if (attachments.length > 0 || existsSync(namespacesDir(options))) networks.#reconcile();
    return networks;
  }

  findAttachment(containerId: string): Attachment | undefined {
    return this.#attachments.get(containerId);
  }

  namespacePath(containerId: string): string {
    return join(namespacesDir(this.#options), containerId);
  }

  /**
   * Makes a container's namespace with an interface in the network. It must have none: `detach` first.
   *
   * @throws {ClusterError} NotFound with Docker's words; ResourceExhausted when the network has no address left.
   */
  attach(containerId: string, networkName: string): Attachment {
    const network = this.#find(networkName);
    const kernel = this.#openKernel();
    const attachment = { containerId, endpoint: this.#newEndpoint(network) };
    kernel.files.put(attachment);
    this.#attachments.set(containerId, attachment);
    this.#makeBridge(kernel, network);
    kernel.namespaces.create(containerId);
    this.#join(kernel, attachment);
    return attachment;
  }

  /** Removes all a container has of networks. No error when there is nothing. */
  detach(containerId: string): void {
    const attachment = this.#attachments.get(containerId);
    if (attachment === undefined) return;
    const kernel = this.#openKernel();
    kernel.bridges.closePort(attachment.endpoint.link);
    kernel.namespaces.giveUp(containerId);
    kernel.files.remove(containerId);
    this.#attachments.delete(containerId);
  }

  /** Lets go of the kernel; all stays as it is and serves on. */
  close(): void {
    this.#kernel?.namespaces.close();
    this.#kernel?.bridges.close();
    if (this.#kernel !== undefined) closeSync(this.#kernel.namespaceFd);
    this.#kernel = undefined;
  }

  /** Everything that must be there and is not is made again; what nobody has goes. */
  #reconcile(): void {
    const { log } = this.#options;
    const kernel = this.#openKernel();
    kernel.namespaces.removeOthers(new Set(this.#attachments.keys()));
    for (const network of this.#networks.values()) {
      const ofNetwork = [...this.#attachments.values()].filter(
        ({ endpoint }) => endpoint.networkId === network.id,
      );
      const { link } = this.#placeOf(network);
      if (ofNetwork.length === 0 && !kernel.bridges.hasBridge(link)) continue;
      this.#makeBridge(kernel, network);
      kernel.bridges.removeOtherPorts(link, new Set(ofNetwork.map((one) => one.endpoint.link)));
      for (const attachment of ofNetwork) {
        const { containerId, endpoint } = attachment;
        if (kernel.bridges.hasPort(link, endpoint.link)) continue;
        if (!kernel.namespaces.has(containerId)) continue;
        try {
          this.#join(kernel, attachment);
          log.info("joined a container to its network again", { container: containerId });
        } catch (error) {
          const reason = errorMessage(error);
          log.warn("cannot join a container to its network", { container: containerId, reason });
        }
      }
    }
  }

  #join({ bridges }: Kernel, { containerId, endpoint }: Attachment): void {
    const network = this.#networks.get(endpoint.networkId);
    if (network === undefined) return;
    const fd = openNamespace(this.namespacePath(containerId));
    try {
      bridges.addPort(this.#placeOf(network).link, endpoint, fd);
    } finally {
      closeSync(fd);
    }
  }

  #makeBridge({ bridges, used }: Kernel, network: LocalNetwork): void {
    const place = this.#placeOf(network);
    const isNew = bridges.ensureBridge(place);
    used.add(network.id);
    if (!isNew) return;
    const facts = [...used].flatMap((id) => {
      const one = this.#networks.get(id);
      return one === undefined ? [] : { link: this.#placeOf(one).link, subnet: one.subnet };
    });
    bridges.applyRules(planLocalRules(localTableName(this.#options.dataRoot), facts));
  }

  #placeOf(network: LocalNetwork): BridgePlace {
    return {
      link: bridgeLinkName(this.#options.dataRoot, network.id),
      gateway: network.gateway,
      prefixLength: subnetOf(network).prefixLength,
    };
  }

  #newEndpoint(network: LocalNetwork): Endpoint {
    const subnet = subnetOf(network);
    const taken = takenAddresses(network, this.#attachments.values());
    const address = chooseAddress(subnet, taken, this.#lastGiven.get(network.id) ?? 0);
    if (address === undefined)
      throw new ClusterError(
        "ResourceExhausted",
        "no available IPv4 addresses on this network's address pools",
        { details: { network: network.name } },
      );
    this.#lastGiven.set(network.id, ipv4Number(address));
    return {
      id: randomBytes(ID_BYTES).toString("hex"),
      networkId: network.id,
      networkName: network.name,
      address,
      prefixLength: subnet.prefixLength,
      gateway: network.gateway,
      mac: macOf(address),
      link: portLinkName(randomBytes(ID_BYTES).toString("hex")),
    };
  }

  #find(name: string): LocalNetwork {
    const network = [...this.#networks.values()].find((one) => one.name === name);
    if (network !== undefined) return network;
    throw new ClusterError("NotFound", `network ${name.slice(0, 100)} not found`);
  }

  /** The default network keeps its subnet as long as nobody else on this machine uses it. */
  async #ensureDefault(): Promise<void> {
    const found = [...this.#networks.values()].find(({ name }) => name === DEFAULT_NETWORK);
    const taken = subnetsInUse(new Set(found === undefined ? [] : [this.#placeOf(found).link]));
    const isUsed = [...this.#attachments.values()].some(
      ({ endpoint }) => endpoint.networkId === found?.id,
    );
    const isFree = found !== undefined && !taken.some((one) => overlaps(one, subnetOf(found)));
    if (isUsed || isFree) return;
    const subnet = chooseNetworkSubnet(taken);
    const network = {
      id: found?.id ?? randomBytes(ID_BYTES).toString("hex"),
      name: DEFAULT_NETWORK,
      createdAtMs: found?.createdAtMs ?? this.#options.clock.nowMs(),
      subnet: `${ipv4Address(subnet.first)}/${subnet.prefixLength}`,
      gateway: gatewayOf(subnet),
    };
    await this.#networkFiles.put(network);
    this.#networks.set(network.id, network);
  }

  #openKernel(): Kernel {
    this.#kernel ??= openKernel(this.#options);
    return this.#kernel;
  }
}

/** What is open of the kernel. */
interface Kernel {
  /** The daemon's own namespace. */
  readonly namespaceFd: number;
  readonly namespaces: NamespaceFiles;
  readonly files: AttachmentFiles;
  readonly bridges: BridgeSpace;
  /** Ids of the networks that have a bridge. */
  readonly used: Set<string>;
}

function openKernel(options: LocalNetworkOptions): Kernel {
  const { dataRoot, clock, log } = options;
  const namespaceFd = openNamespace();
  const table = localTableName(dataRoot);
  return {
    namespaceFd,
    namespaces: new NamespaceFiles(namespacesDir(options), clock),
    files: new AttachmentFiles(attachmentsDir(options)),
    bridges: new BridgeSpace(namespaceFd, { table, clock, log }),
    used: new Set(),
  };
}

function namespacesDir({ execRoot }: LocalNetworkOptions): string {
  return join(execRoot, "local-networks", "netns");
}

function attachmentsDir({ execRoot }: LocalNetworkOptions): string {
  return join(execRoot, "local-networks", "attachments");
}
