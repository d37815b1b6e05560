import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import { Forwarder } from "../../runtime/network/dns/forwarder.ts";
import { HostResolvers } from "../../runtime/network/dns/host-resolvers.ts";
import { renderResolvConf } from "../../runtime/network/dns/resolv-conf.ts";
import { NamespaceFiles } from "../../runtime/network/namespace-files.ts";
import type { DataPlane } from "./data-plane.ts";
import { checkSandbox, isSameSandbox } from "./plan/sandbox-check.ts";
import type { PlacedSandbox } from "./plan/sandbox-links.ts";
import { attempt, Programmer, type Step } from "./programmer.ts";
import { type PortBook, ServedPorts } from "./served-ports.ts";
import { StateFiles } from "./state-files.ts";
import { TableBook } from "./table-book.ts";
import type { NodeFacts, Sandbox, SandboxSpec } from "./types.ts";

/** How often all of the kernel's state is read and set right. */
const REPAIR_INTERVAL_MS = 30_000;
/** After a part could not be written. */
const RETRY_MS = 1000;

export interface NetworkOptions {
  /** Namespaces go to `<execRoot>/netns`, records to `<execRoot>/network`; nothing there outlives a restart of the machine. */
  readonly execRoot: string;
  /** Ports of this machine, of which single containers have some too. */
  readonly hostPorts: PortBook;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * This node's data plane: the kernel's state as the endpoint tables and sandboxes ask for it.
 *
 * Tables that come in one turn of the event loop are written together. Everything is written again from the tables when
 * the kernel is found to differ; what is right is never touched.
 */
export class Network implements DataPlane {
  readonly #options: NetworkOptions;
  readonly #files: StateFiles;
  readonly #tables: TableBook;
  readonly #namespaces: NamespaceFiles;
  readonly #resolvers: HostResolvers;
  readonly #programmer: Programmer;
  /** Networks to be written, with the addresses that have left them. */
  #changes = new Map<string, Set<string>>();
  #pass: Promise<void> | undefined;
  #lastTurn: Promise<void> = Promise.resolve();
  #cancelRepair = () => {};
  #closed = false;

  private constructor(options: NetworkOptions) {
    const { clock, random, log } = options;
    this.#options = options;
    this.#files = new StateFiles(`${options.execRoot}/network`, log);
    this.#tables = new TableBook(this.#files, clock);
    this.#namespaces = new NamespaceFiles(`${options.execRoot}/netns`, clock);
    this.#resolvers = new HostResolvers(clock);
    this.#programmer = new Programmer({
      namespaces: this.#namespaces,
      files: this.#files,
      tables: this.#tables,
      ports: new ServedPorts(options.hostPorts, log),
      services: {
        forwarder: new Forwarder(clock, random),
        hostServers: () => this.#resolvers.get().nameservers,
        clock,
        random,
        log,
      },
    });
  }

  /** Takes over what a former daemon left, or starts from nothing. Needs root. */
  static async open(options: NetworkOptions): Promise<Network> {
    const network = new Network(options);
    const node = network.#files.findNode();
    if (node !== undefined) network.#programmer.setNode(node);
    await network.#repair();
    return network;
  }

  async setNode(facts: NodeFacts): Promise<void> {
    this.#files.putNode({ ...facts });
    this.#programmer.setNode(facts);
    for (const table of this.#tables.all()) this.#changed(table.networkId, new Set());
    await this.#nextPass();
  }

  async applyTable(table: EndpointTable): Promise<void> {
    const left = this.#tables.put(table);
    if (left !== undefined) this.#changed(table.networkId, left);
    if (this.#changes.has(table.networkId)) await this.#nextPass();
  }

  async removeNetwork(networkId: string): Promise<void> {
    this.#tables.withdraw(networkId);
    this.#forgetUnused();
    await this.#nextPass();
  }

  tableVersions(): readonly { readonly networkId: string; readonly version: number }[] {
    return this.#tables.versions();
  }

  async createSandbox(spec: SandboxSpec): Promise<Sandbox> {
    await this.#tables.waitFor(spec.attachments.map((attachment) => attachment.networkId));
    await this.#ownTurn();
    const before = this.#programmer.find(spec.id);
    if (before !== undefined) {
      if (isSameSandbox(before.spec, spec)) return this.#describe(before);
      throw new ClusterError(
        "AlreadyExists",
        `cannot make sandbox ${spec.id}: there is one with other networks or ports`,
      );
    }
    checkSandbox(
      spec,
      this.#programmer.sandboxes().map((placed) => placed.spec),
    );
    return this.#describe(this.#programmer.makeSandbox(spec));
  }

  async removeSandbox(id: string): Promise<void> {
    if (this.#programmer.find(id) === undefined) return;
    const failed = this.#attemptAll(this.#programmer.dropSteps(id));
    this.#forgetUnused();
    await this.#nextPass();
    if (failed !== undefined) throw failed;
  }

  sandboxes(): readonly Sandbox[] {
    return this.#programmer.sandboxes().map((placed) => this.#describe(placed));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRepair();
    this.#programmer.close();
    this.#namespaces.close();
  }

  async cleanup(): Promise<void> {
    this.#closed = true;
    this.#cancelRepair();
    const failed = this.#attemptAll(this.#programmer.cleanupSteps());
    this.#programmer.close();
    this.#namespaces.close();
    this.#namespaces.removeAll();
    this.#files.removeAll();
    if (failed !== undefined) throw failed;
  }

  /** One sandbox for each turn of the event loop: twenty made in one go would stop heartbeats for 0.2 s. */
  #ownTurn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(nextTurn);
    return this.#lastTurn;
  }

  #describe(placed: PlacedSandbox): Sandbox {
    const { id, attachments, dns } = placed.spec;
    return {
      id,
      path: this.#namespaces.path(id),
      resolvConf: renderResolvConf(dns, this.#resolvers.get()),
      addresses: ownAddresses(attachments),
    };
  }

  #changed(networkId: string, left: ReadonlySet<string>): void {
    const addresses = this.#changes.get(networkId) ?? new Set<string>();
    for (const address of left) addresses.add(address);
    this.#changes.set(networkId, addresses);
  }

  #forgetUnused(): void {
    for (const id of this.#tables.forgetUnused(this.#programmer.networksInUse()))
      this.#changed(id, new Set());
  }

  /** Writes all changes collected until this turn of the event loop ends. Callers of one turn share the outcome. */
  #nextPass(): Promise<void> {
    this.#pass ??= nextTurn().then(() => {
      this.#pass = undefined;
      if (this.#closed) return;
      const changes = this.#changes;
      this.#changes = new Map();
      const failure = this.#attemptAll(this.#programmer.networkSteps(changes));
      if (failure === undefined) return;
      this.#repairAfter(RETRY_MS);
      throw failure;
    });
    return this.#pass;
  }

  /** Reads the kernel and sets it right, a namespace at a time: the daemon has other things to do as well. */
  async #repair(): Promise<void> {
    const failures: ClusterError[] = [];
    for (const group of this.#programmer.repairSteps()) {
      if (this.#closed) return;
      failures.push(...[this.#attemptAll(group)].filter((failure) => failure !== undefined));
      await nextTurn();
    }
    for (const failure of failures)
      this.#options.log.error("data plane not repaired", { reason: failure.message });
    this.#repairAfter(failures.length > 0 ? RETRY_MS : REPAIR_INTERVAL_MS);
  }

  #repairAfter(delayMs: number): void {
    this.#cancelRepair();
    if (this.#closed) return;
    this.#cancelRepair = this.#options.clock.after(delayMs, () => {
      void this.#repair();
    });
  }

  /** Runs all steps, whatever becomes of one. @returns one error for those that failed. */
  #attemptAll(steps: readonly Step[]): ClusterError | undefined {
    const failures = steps.flatMap((step) => {
      const error = attempt(step);
      return error === undefined ? [] : [`cannot ${step.action}: ${errorMessage(error)}`];
    });
    if (failures.length === 0) return undefined;
    const [first = ""] = failures;
    const others = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
    return new ClusterError("Internal", first + others, { details: { failed: failures.length } });
  }
}

function ownAddresses(attachments: SandboxSpec["attachments"]): string[] {
  return attachments
    .flatMap((attachment) => attachment.addresses)
    .map((address) => address.split("/")[0] ?? "");
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
