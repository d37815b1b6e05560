import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import { seededRandom } from "../../../core/random.ts";
import { Roles } from "../../../daemon/node/roles.ts";
import { Serial } from "../../../daemon/node/serial.ts";
import type { Leader } from "../../../manager/leader.ts";
import type { EndpointTable } from "../../../proto/gen/endpoints.ts";
import { NodeDescription, type NodeRole } from "../../../proto/gen/objects.ts";
import type { DataPlane } from "../../../worker/network/data-plane.ts";
import { Worker } from "../../../worker/worker.ts";
import type { TaskImages } from "../../../worker/worker-options.ts";
import { MemoryDataPlane } from "../../support/worker/memory-data-plane.ts";
import { MemoryImages } from "../../support/worker/test-worker.ts";
import { HostContainers, labelOf } from "./host-containers.ts";
import { ManagerPart } from "./manager-part.ts";
import { simDial } from "./session-link.ts";
import { SimHost } from "./sim-host.ts";
import { SimIdentity } from "./sim-identity.ts";
import { SimStateDisk } from "./state-disk.ts";
import type { World } from "./world.ts";

export const NODE_CPUS = 4;
const FILE_DELAY_MS = 3;
const NETWORK_DELAY_MS = 20;
const PULL_DELAY_MS = 400;
const PULL_FAILS = 0.05;
/** Until somebody has seen to a disk that failed. */
const REPAIR_MAX_MS = 2_000;

/** A machine of the swarm: its daemon with a worker and perhaps a manager in it, its containers, its disks. */
export class SimNode {
  readonly nodeId: string;
  readonly addr: string;
  readonly host: SimHost;
  readonly containers: HostContainers;
  readonly dataPlane = new MemoryDataPlane();
  readonly manager: ManagerPart;
  readonly #identity: SimIdentity;
  readonly #world: World;
  readonly #images = new MemoryImages();
  readonly #files = new SimStateDisk();
  readonly #firstManagers: readonly string[];
  #worker: Worker | undefined;
  #serial = new Serial();
  /** Undefined while its daemon is down. */
  #roles: Roles | undefined;
  /** When something was last wrong with it or its connections. */
  disturbedAtMs = 0;

  constructor(world: World, number: number, options: { role: NodeRole; managers: string[] }) {
    this.#world = world;
    this.nodeId = `node${number}`;
    this.addr = `10.0.0.${number}:2377`;
    this.host = new SimHost(world.time, number, world.random);
    this.containers = new HostContainers(world.time, this.host, (container) =>
      world.tasks.onStop(this.nodeId, labelOf(container, "task")),
    );
    this.#firstManagers = options.managers;
    this.containers.all.onEvent((event) => {
      if (event.kind !== "started") return;
      const container = this.containers.all.get(event.id);
      world.tasks.onStarted(this.nodeId, labelOf(container, "task"));
    });
    this.#identity = new SimIdentity(world, this.host, { nodeId: this.nodeId, role: options.role });
    this.manager = new ManagerPart(world, this.host, {
      nodeId: this.nodeId,
      addr: this.addr,
      isFirst: number === 1,
      managers: () => this.#managers,
      onDiskTrouble: (how) => this.crashFor(this.host.random.next() * REPAIR_MAX_MS, how),
      onExpelled: () => this.#onExpelled(),
    });
  }

  /** As its certificate says. */
  get role(): NodeRole {
    return this.#identity.role;
  }

  /** Of the manager there is now. */
  get leader(): Leader | undefined {
    return this.manager.running?.leader;
  }

  get isLeading(): boolean {
    return this.host.isUp && this.manager.isLeading;
  }

  /** Starts its daemon. The worker part comes first: tasks do not wait for a manager. */
  boot(): void {
    this.host.start();
    const { host } = this;
    const serial = new Serial();
    const roles = new Roles({
      identity: this.#identity,
      managerPart: this.manager,
      findManagers: () => this.#managers,
      serial,
      clock: host.clock(),
      random: host.random,
      log: silentLog,
    });
    this.#serial = serial;
    this.#roles = roles;
    this.#noteFailure("worker", this.#startWorker(roles));
    this.#want(roles, this.#identity.role);
  }

  /** Its daemon crashes, or with `power` the whole machine. */
  crash(how: { readonly power: boolean }): void {
    this.disturb();
    this.host.stop(how);
    this.manager.crash();
    this.#roles = undefined;
    this.#worker = undefined;
    if (!how.power) return;
    this.containers.losePower();
    this.#files.losePower(this.host.random);
    void this.dataPlane.cleanup();
  }

  crashFor(durationMs: number, how: { readonly power: boolean }): void {
    if (!this.host.isUp) return;
    this.crash(how);
    this.#world.time.after(durationMs, () => {
      this.disturb();
      if (!this.host.isUp) this.boot();
    });
  }

  disturb(): void {
    this.disturbedAtMs = this.#world.time.monotonicMs();
  }

  /** What is on the worker's disk is safe from now on. */
  writeBack(): void {
    this.#files.writeBack();
  }

  /** host:port of managers as far as this node knows, the one it is in session with first. */
  get #managers(): readonly string[] {
    const current = this.#worker?.manager;
    const known = this.#worker?.managers ?? this.#firstManagers;
    return current === undefined ? known : [current, ...known.filter((addr) => addr !== current)];
  }

  /** The log of the member it was counts no more. Whether it may come back as a manager, the swarm says when it asks. */
  #onExpelled(): void {
    const roles = this.#roles;
    if (roles === undefined) return;
    this.#noteFailure(
      "manager",
      this.#serial.run(() => this.manager.end()),
    );
    this.#noteFailure("manager", roles.settleAgain());
  }

  #want(roles: Roles, role: NodeRole): void {
    this.#noteFailure("manager", roles.want(role));
  }

  #noteFailure(part: string, work: Promise<void>): void {
    const isAlive = this.host.aliveness();
    work.catch((error: unknown) => {
      if (!isAlive()) return;
      this.#world.violate(`StartsAgain: ${part} of ${this.nodeId}: ${errorMessage(error)}`);
    });
  }

  async #startWorker(roles: Roles): Promise<void> {
    const { host } = this;
    const identity = { CN: this.nodeId, OU: "swarm-worker", O: this.#world.clusterId };
    this.#worker = await Worker.start({
      nodeId: this.nodeId,
      dataRoot: "",
      stateDisk: this.#files.mount(host.delayer(FILE_DELAY_MS)),
      addr: `10.0.0.${host.number}`,
      dial: simDial(this.#world, { host, identity }),
      managers: this.#firstManagers.map((addr) => ({ nodeId: "", addr })),
      description: () =>
        NodeDescription.fromPartial({
          hostname: this.nodeId,
          platform: { os: "linux", architecture: "x86_64" },
          resources: { nanoCpus: NODE_CPUS * 1e9, memoryBytes: 2 ** 33 },
        }),
      containers: this.containers.serve(host),
      images: this.#serveImages(),
      network: this.#serveNetwork(),
      clock: host.clock(),
      // Its own, so that what it decides does not hang on what the machine does meanwhile.
      random: seededRandom(host.random.next() * 2 ** 32),
      log: silentLog,
      onRoleChanged: (role) => this.#want(roles, role),
    });
  }

  #serveImages(): TaskImages {
    const delay = this.host.delayer(PULL_DELAY_MS);
    return {
      get: (name) => this.#images.get(name),
      pull: async (name, options) => {
        await delay();
        if (options?.signal?.aborted === true) throw new ClusterError("Cancelled", "called off");
        if (this.host.random.next() < PULL_FAILS) {
          throw new ClusterError("Unavailable", "the registry is away");
        }
        return this.#images.pull(name);
      },
    };
  }

  #serveNetwork(): DataPlane {
    const delay = this.host.delayer(NETWORK_DELAY_MS);
    const plane = this.dataPlane;
    const later =
      <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        await delay();
        return call.apply(plane, args);
      };
    return {
      setNode: later(plane.setNode),
      // In the order of the calls, as the real one: known at once, in the kernel a little later.
      applyTable: async (table: EndpointTable) => {
        this.#world.networks.onTable(this.nodeId, table);
        await plane.applyTable(table);
        await delay();
      },
      removeNetwork: async (networkId: string) => {
        await plane.removeNetwork(networkId);
        await delay();
      },
      tableVersions: () => plane.tableVersions(),
      createSandbox: later(plane.createSandbox),
      removeSandbox: later(plane.removeSandbox),
      sandboxes: () => plane.sandboxes(),
      close: later(plane.close),
      cleanup: later(plane.cleanup),
    };
  }
}
