import { randomBytes } from "node:crypto";
import { ClusterError } from "../../../core/errors.ts";
import type { Execs } from "../../../runtime/container/exec/types.ts";
import type {
  Container,
  ContainerAttachment,
  ContainerConfig,
  ContainerEvent,
  ContainerFile,
  ContainerFilePaths,
  ContainerId,
  LogQuery,
  LogRecord,
  MachineContainers,
} from "../../../runtime/container/types.ts";
import { SILENT_IMAGE } from "../silent-image.ts";

/** Containers that are only remembered. They run until told otherwise and write what they are given. */
export class MemoryContainers implements MachineContainers {
  readonly #containers = new Map<ContainerId, Container>();
  readonly #lines = new Map<ContainerId, LogRecord[]>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** What each found at its start. */
  readonly files = new Map<ContainerId, readonly ContainerFile[]>();
  /** Every start there was, by container name. */
  readonly starts: string[] = [];
  /** Nothing runs in a container that is only remembered. */
  readonly execs: Execs = {
    createExec: (id) => this.#noExec(id),
    getExec: (id) => this.#noExec(id),
    execIdsOf: () => [],
    startExec: async (id) => this.#noExec(id),
    resizeExec: (id) => this.#noExec(id),
  };
  readonly #newId: () => string;

  constructor(newId: () => string = () => randomBytes(32).toString("hex")) {
    this.#newId = newId;
  }

  async create(config: ContainerConfig): Promise<Container> {
    if (this.list().some((one) => one.config.name === config.name)) {
      throw new ClusterError("AlreadyExists", `container name ${config.name} is taken`);
    }
    const id = this.#newId() as ContainerId;
    const health = config.health === undefined ? "none" : "starting";
    const container: Container = {
      id,
      config,
      imageId: "sha256:0",
      imageConfig: SILENT_IMAGE,
      mounts: [],
      paused: false,
      restarting: false,
      restartCount: 0,
      state: "created",
      pid: 0,
      exitCode: 0,
      oomKilled: false,
      error: "",
      createdAtMs: 0,
      startedAtMs: 0,
      finishedAtMs: 0,
      health: { state: health, failingStreak: 0, log: [] },
    };
    this.#containers.set(id, container);
    return container;
  }

  async start(
    id: ContainerId,
    { files = [] }: { readonly files?: readonly ContainerFile[] } = {},
  ): Promise<void> {
    if (files.length > 0) this.files.set(id, files);
    this.starts.push(this.get(id).config.name);
    this.#change(id, { state: "running", pid: 1000 });
    this.#emit({ kind: "started", id });
  }

  async stop(id: ContainerId): Promise<void> {
    if (this.get(id).state === "running") this.exit(id, 143);
  }

  async kill(id: ContainerId): Promise<void> {
    this.exit(id, 137);
  }

  async remove(id: ContainerId): Promise<void> {
    this.get(id);
    this.#containers.delete(id);
    this.#emit({ kind: "removed", id });
  }

  async restart(id: ContainerId): Promise<void> {
    await this.stop(id);
    await this.start(id);
    this.#emit({ kind: "restarted", id });
  }

  async pause(id: ContainerId): Promise<void> {
    this.#change(id, { paused: true });
    this.#emit({ kind: "paused", id });
  }

  async unpause(id: ContainerId): Promise<void> {
    this.#change(id, { paused: false });
    this.#emit({ kind: "unpaused", id });
  }

  async rename(id: ContainerId, name: string): Promise<void> {
    const { config } = this.get(id);
    this.#change(id, { config: { ...config, name } });
    this.#emit({ kind: "renamed", id, oldName: config.name });
  }

  async connect(id: ContainerId): Promise<void> {
    this.get(id);
  }

  async disconnect(id: ContainerId): Promise<void> {
    this.get(id);
  }

  async update(id: ContainerId, change: Partial<ContainerConfig>): Promise<void> {
    this.#change(id, { config: { ...this.get(id).config, ...change } });
    this.#emit({ kind: "updated", id });
  }

  /** What it has written; input goes nowhere. */
  attach(id: ContainerId): ContainerAttachment {
    const lines = this.#lines.get(this.get(id).id) ?? [];
    const ignore = () => {};
    return {
      output: (async function* () {
        yield* lines;
      })(),
      write: async () => {},
      closeInput: ignore,
      close: ignore,
      detach: ignore,
    };
  }

  #noExec(id: string): never {
    throw new ClusterError("NotFound", `no such command: ${id}`);
  }

  resize(id: ContainerId): void {
    this.get(id);
  }

  filesOf(id: ContainerId): ContainerFilePaths {
    const root = `/memory/${id}`;
    const rootfs = { lowerDirs: [root], upperDir: root, workDir: root, merged: root };
    return { hostname: root, hosts: root, resolvConf: root, log: root, rootfs };
  }

  pidsOf(id: ContainerId): readonly number[] {
    const { pid } = this.get(id);
    return pid === 0 ? [] : [pid];
  }

  async wait(id: ContainerId): Promise<{ readonly exitCode: number }> {
    return { exitCode: this.get(id).exitCode };
  }

  get(id: ContainerId): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new ClusterError("NotFound", `no container ${id}`);
    return container;
  }

  list(): readonly Container[] {
    return [...this.#containers.values()];
  }

  async *logs(id: ContainerId, query: LogQuery): AsyncGenerator<LogRecord> {
    const lines = this.#linesOf(id);
    for (let i = 0; ; i++) {
      while (i >= lines.length) {
        if (!query.follow || query.signal?.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const line = lines[i];
      if (line !== undefined) yield line;
    }
  }

  async exec(): Promise<{ readonly exitCode: number; readonly output: string }> {
    return { exitCode: 0, output: "" };
  }

  onEvent(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The container of a task, by its label. */
  ofTask(taskId: string): Container | undefined {
    return this.list().find((one) => one.config.labels["com.docker.swarm.task.id"] === taskId);
  }

  /** Its process ends by itself. */
  exit(id: ContainerId, exitCode: number): void {
    this.#change(id, { state: "exited", pid: 0, exitCode });
    this.#emit({ kind: "exited", id, exitCode, oomKilled: false, ranMs: 0 });
  }

  /** Its health check speaks. */
  health(id: ContainerId, state: "healthy" | "unhealthy", output = ""): void {
    const exitCode = state === "healthy" ? 0 : 1;
    const log = [{ startMs: 0, endMs: 0, exitCode, output }];
    this.#change(id, { health: { state, failingStreak: exitCode, log } });
    this.#emit({ kind: "health", id, state });
  }

  /** It prints a line. */
  print(id: ContainerId, line: string): void {
    const data = Buffer.from(`${line}\n`);
    this.#linesOf(id).push({ time: new Date().toISOString(), stderr: false, data });
  }

  #linesOf(id: ContainerId): LogRecord[] {
    const lines = this.#lines.get(id) ?? [];
    this.#lines.set(id, lines);
    return lines;
  }

  #change(id: ContainerId, change: Partial<Container>): void {
    this.#containers.set(id, { ...this.get(id), ...change });
  }

  #emit(event: ContainerEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
