import { mkdir } from "node:fs/promises";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { TreeChange } from "../image/layer/tree-changes.ts";
import type { EndpointConfig } from "../network/types.ts";
import { clearRemains } from "./clear-remains.ts";
import { checkConfig } from "./config-check.ts";
import { toEngineEvents } from "./container-events.ts";
import type { ContainerHost } from "./container-run.ts";
import { LocalExecs } from "./exec/local-execs.ts";
import type { ConsoleSize } from "./exec/types.ts";
import { CREATED } from "./life.ts";
import { connecting, disconnecting, followingName } from "./live-networks.ts";
import { isJsonFile } from "./log/json-log-of.ts";
import { planLogLimits } from "./log/log-files.ts";
import { readLog } from "./log/log-reader.ts";
import { LogRotator, type RotatedLog } from "./log/log-rotator.ts";
import { makeRecord, newContainerId } from "./make-record.ts";
import { type ContainerContext, ManagedContainer } from "./managed-container.ts";
import { withRenamedLinks } from "./network-change.ts";
import { networkFilesOf } from "./network-files.ts";
import { bundlesDir, containersDir, exitDir, runtimeRoot, scratchDir } from "./paths.ts";
import type { ContainerRecord, ContainerStatus } from "./record.ts";
import { RecordStore } from "./record-store.ts";
import { clearScratch, type RootView } from "./root-views.ts";
import { rootfsChanges } from "./rootfs-changes.ts";
import type { ResourceLimits, RestartPolicy } from "./settings.ts";
import { parseSignal } from "./signals.ts";
import { KILL_WAIT_MS } from "./stop-process.ts";
import { Turns } from "./turns.ts";
import type {
  Container,
  ContainerAttachment,
  ContainerConfig,
  ContainerEvent,
  ContainerFile,
  ContainerFilePaths,
  ContainerId,
  ContainerRoots,
  LogQuery,
  LogRecord,
  MachineContainers,
} from "./types.ts";
import { within } from "./within.ts";

/** Enough to keep the processor busy while others wait for the kernel; more only take memory. */
const STARTS_MAX = 32;
const EXECS_MAX = 16;
const WAITING_MAX = 10_000;
const DEFAULT_STOP_SIGNAL = "SIGTERM";
const SIGKILL = 9;

/** The containers of this machine under one pair of roots. */
export class LocalContainers implements MachineContainers, ContainerRoots {
  readonly #host: ContainerHost;
  readonly #records: RecordStore;
  readonly #context: ContainerContext;
  readonly #containers = new Map<ContainerId, ManagedContainer>();
  /** Also those being made. */
  readonly #names = new Map<string, ContainerId>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** Those whose end is not the last: not removed though they are to go when they end. */
  readonly #underRestart = new Set<ContainerId>();
  readonly #rotator: LogRotator;
  readonly execs: LocalExecs;

  private constructor(host: ContainerHost, log: Log) {
    this.#host = host;
    this.#records = new RecordStore(host.roots);
    this.#context = {
      host,
      records: this.#records,
      starts: new Turns("starting containers", { slots: STARTS_MAX, waitingMax: WAITING_MAX }),
      execs: new Turns("running commands", { slots: EXECS_MAX, waitingMax: WAITING_MAX }),
      emit: (event) => this.#emit(event),
      findPeer: (id) => this.#find(id as ContainerId).asPeer(),
      log,
    };
    this.execs = new LocalExecs(
      host,
      (id) => this.#find(id),
      (event) => this.#emit(event),
    );
    this.#rotator = new LogRotator(() => this.#openLogs(), host.clock, log);
  }

  /** Takes up the containers an earlier process made: adopts what runs, clears away what is nobody's. */
  static async open(host: ContainerHost, log: Log): Promise<LocalContainers> {
    const { roots } = host;
    for (const dir of [containersDir(roots), bundlesDir(roots), exitDir(roots), runtimeRoot(roots)])
      await mkdir(dir, { recursive: true, mode: 0o700 });
    clearScratch(roots);
    const containers = new LocalContainers(host, log);
    await containers.#adoptAll();
    return containers;
  }

  async create(config: ContainerConfig): Promise<Container> {
    const image = this.#host.images.get(config.image);
    const id = newContainerId();
    this.#takeName(config.name, id);
    try {
      const record = await makeRecord(id, config, image, this.#host, this.#records);
      const container = this.#take(record, CREATED);
      this.#emit({ kind: "created", id });
      return container.view();
    } catch (error) {
      this.#names.delete(config.name);
      throw error;
    }
  }

  async start(
    id: ContainerId,
    { files = [] }: { readonly files?: readonly ContainerFile[] } = {},
  ): Promise<void> {
    const container = this.#find(id);
    try {
      await container.start(files);
    } catch (error) {
      // One that was to go when it has ended is of no use to anybody when it cannot begin.
      if (container.record.config.autoRemove && !container.isRunning) await this.remove(id);
      throw error;
    }
  }

  async stop(
    id: ContainerId,
    options: { readonly signal?: string; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const container = this.#find(id);
    const { config, imageConfig } = container.record;
    const signal =
      options.signal || config.stopSignal || imageConfig.stopSignal || DEFAULT_STOP_SIGNAL;
    await container.stop(parseSignal(signal), options.timeoutMs ?? config.stopTimeoutMs);
  }

  async kill(id: ContainerId, signal: string): Promise<void> {
    const container = this.#find(id);
    const number = parseSignal(signal);
    const { config, imageConfig } = container.record;
    const own = config.stopSignal || imageConfig.stopSignal || DEFAULT_STOP_SIGNAL;
    const ended = container.untilEnd();
    await container.kill(number, number === SIGKILL || number === parseSignal(own));
    // Nothing keeps a process from this one but a slow disk: who asks next finds it ended.
    if (number === SIGKILL) await within(ended, KILL_WAIT_MS, this.#host.clock);
  }

  async restart(
    id: ContainerId,
    options: { readonly signal?: string; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    this.#underRestart.add(id);
    try {
      await this.stop(id, options);
    } finally {
      this.#underRestart.delete(id);
    }
    await this.start(id);
    this.#emit({ kind: "restarted", id });
  }

  async pause(id: ContainerId): Promise<void> {
    await this.#find(id).pause();
  }

  async unpause(id: ContainerId): Promise<void> {
    await this.#find(id).unpause();
  }

  async rename(id: ContainerId, name: string): Promise<void> {
    const container = this.#find(id);
    const { config, imageConfig } = container.record;
    const oldName = config.name;
    checkConfig({ ...config, name }, imageConfig);
    this.#takeName(name, id);
    try {
      await container.change({ name });
    } catch (error) {
      this.#names.delete(name);
      throw error;
    }
    this.#names.delete(oldName);
    this.#host.networks.rename(id, oldName, name);
    await this.#followName(oldName, name);
    this.#emit({ kind: "renamed", id, oldName });
  }

  /** Those who are linked to it stay so. */
  async #followName(oldName: string, name: string): Promise<void> {
    const follow = followingName(oldName, name);
    for (const other of this.#containers.values())
      if (withRenamedLinks(other.record.config.network, oldName, name) !== undefined)
        await other.changeNetworks(follow);
  }

  async update(
    id: ContainerId,
    change: { readonly limits?: ResourceLimits; readonly restart?: RestartPolicy },
  ): Promise<void> {
    const container = this.#find(id);
    const { config, imageConfig } = container.record;
    checkConfig({ ...config, ...change }, imageConfig);
    await container.change(change);
    this.#emit({ kind: "updated", id });
  }

  attach(id: ContainerId): ContainerAttachment {
    const attachment = this.#find(id).streams.attach();
    this.#emit({ kind: "attached", id });
    const detach = () => {
      attachment.close();
      this.#emit({ kind: "detached", id });
    };
    return { ...attachment, detach };
  }

  resize(id: ContainerId, size: ConsoleSize): void {
    const { isRunning, record, window } = this.#find(id);
    if (!isRunning)
      throw new ClusterError(
        "FailedPrecondition",
        `cannot resize container ${record.config.name}: it is not running`,
        { details: { container: id } },
      );
    window.resize(size);
    this.#emit({ kind: "resized", id, height: size.rows, width: size.columns });
  }

  async connect(id: ContainerId, endpoint: EndpointConfig): Promise<void> {
    await this.#find(id).changeNetworks(connecting(endpoint));
  }

  async disconnect(id: ContainerId, network: string): Promise<void> {
    await this.#find(id).changeNetworks(disconnecting(network));
  }

  filesOf(id: ContainerId): ContainerFilePaths {
    const { paths, record } = this.#find(id);
    const { hostname, hosts, resolvConf } = networkFilesOf(paths);
    // What the others write is theirs alone to read, as in Docker.
    const isShown = isJsonFile(record);
    return {
      hostname,
      hosts,
      resolvConf,
      log: isShown ? paths.jsonLogFile : "",
      rootfs: record.rootfs,
    };
  }

  async openView(id: ContainerId, withMounts: boolean): Promise<RootView> {
    return this.#find(id).openView(withMounts);
  }

  async changes(id: ContainerId): Promise<readonly TreeChange[]> {
    const { rootfs } = this.#find(id).record;
    const scratch = `${scratchDir(this.#host.roots)}/${id}-base`;
    return rootfsChanges(rootfs, scratch);
  }

  pidsOf(id: ContainerId): readonly number[] {
    return this.#host.cgroups.pids(this.#find(id).record.id);
  }

  async remove(
    id: ContainerId,
    options: { readonly force?: boolean; readonly keepVolumes?: boolean } = {},
  ): Promise<void> {
    const container = this.#find(id);
    await container.remove(options.force ?? false, !(options.keepVolumes ?? false));
    // Two who remove it at once both come here; the name may be somebody else's by the second time.
    if (!this.#containers.delete(id)) return;
    this.#names.delete(container.record.config.name);
    this.#host.cgroups.displace(id);
    this.execs.onContainerRemoved(id);
    this.#emit({ kind: "removed", id }, container);
  }

  async wait(id: ContainerId): Promise<{ readonly exitCode: number }> {
    const container = this.#find(id);
    await container.untilEnd();
    return { exitCode: container.view().exitCode };
  }

  get(id: ContainerId): Container {
    return this.#find(id).view();
  }

  list(): readonly Container[] {
    return [...this.#containers.values()].map((container) => container.view());
  }

  logs(id: ContainerId, query: LogQuery): AsyncIterable<LogRecord> {
    const container = this.#find(id);
    return readLog(
      {
        path: container.paths.logFile,
        filesMax: planLogLimits(container.record.config.log).filesMax,
        isOpen: () => container.isRunning,
        onClosed: (listener) => container.onEnd(listener),
      },
      query,
    );
  }

  async exec(
    id: ContainerId,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const { exitCode, output, timedOut } = await this.#find(id).exec(command, timeoutMs);
    if (!timedOut) return { exitCode, output };
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot run ${command[0]} in container ${id}: it took longer than ${timeoutMs} ms`,
    );
  }

  onEvent(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets go of everything; containers run on. */
  close(): void {
    this.#rotator.close();
    for (const container of this.#containers.values()) container.close();
  }

  async #adoptAll(): Promise<void> {
    for (const id of this.#records.ids()) {
      const found = await this.#records.find(id);
      if (found === undefined) continue;
      this.#take(found.record, found.status);
      this.#names.set(found.record.config.name, id);
    }
    const known = new Set(this.#containers.keys());
    await clearRemains(known, this.#host, this.#records, this.#context.log);
    for (const { record, isRunning } of this.#containers.values())
      this.#host.volumes.adopt(volumesOf(record), record.id, isRunning);
    for (const container of this.#containers.values()) await this.#adopt(container);
    await this.#host.volumes.unmountUnused();
  }

  /** One container that cannot be taken up must not keep the others from it. */
  async #adopt(container: ManagedContainer): Promise<void> {
    try {
      await container.adopt();
      this.#maybeAutoRemove(container);
    } catch (error) {
      this.#context.log.error("cannot take up a container", {
        container: container.record.id,
        reason: errorMessage(error),
      });
    }
  }

  #take(record: ContainerRecord, status: ContainerStatus): ManagedContainer {
    const { id, config } = record;
    const container = new ManagedContainer(record, status, this.#context);
    this.#containers.set(id, container);
    if (config.cgroupParent !== "") this.#host.cgroups.place(id, config.cgroupParent);
    container.onEnd(() => this.execs.onContainerEnd(id));
    container.onEnd(() => this.#maybeAutoRemove(container));
    return container;
  }

  #takeName(name: string, id: ContainerId): void {
    const holder = this.#names.get(name);
    if (holder !== undefined)
      throw new ClusterError("AlreadyExists", `the container name ${name} is in use`, {
        details: { name, holder },
      });
    this.#names.set(name, id);
  }

  /** Nobody waits for it: what fails is told, and tried again when the daemon starts. */
  #maybeAutoRemove({ record, hasEnded }: ManagedContainer): void {
    const { id, config } = record;
    if (!config.autoRemove || !hasEnded || this.#underRestart.has(id)) return;
    if (!this.#containers.has(id)) return;
    this.remove(id).catch((error: unknown) => {
      // Somebody else removed it meanwhile.
      if (!this.#containers.has(id)) return;
      const reason = errorMessage(error);
      this.#context.log.warn("cannot remove a container that has ended", { container: id, reason });
    });
  }

  #find(id: ContainerId): ManagedContainer {
    const container = this.#containers.get(id);
    if (container !== undefined) return container;
    throw new ClusterError("NotFound", `no such container: ${id.slice(0, 64)}`);
  }

  *#openLogs(): Generator<RotatedLog> {
    for (const { isRunning, record, paths, jsonLog: json } of this.#containers.values()) {
      const limits = planLogLimits(record.config.log);
      if (limits.kind === "none") continue;
      if (!isRunning && (json === undefined || json.isComplete)) continue;
      yield {
        containerId: record.id,
        path: paths.logFile,
        controlPath: paths.controlFifo,
        limits,
        isOpen: isRunning,
        json,
      };
    }
  }

  /** A listener that fails must not keep a container from being cleared away, nor others from hearing of it. */
  #emit(event: ContainerEvent, subject = this.#containers.get(event.id)): void {
    if (subject !== undefined)
      for (const said of toEngineEvents(event, subject.record, this.#host.networks.list()))
        this.#host.events.publish(said);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        const reason = errorMessage(error);
        this.#context.log.error("a listener failed", { container: event.id, reason });
      }
    }
  }
}

function volumesOf({ mounts }: ContainerRecord): string[] {
  return mounts.filter(({ type }) => type === "volume").map(({ source }) => source);
}
