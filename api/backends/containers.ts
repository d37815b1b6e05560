import type {
  ContainerPort,
  ContainerSettings,
  HealthSettings,
  MountSettings,
  ResourceLimits,
  RestartPolicy,
} from "./container-settings.ts";
import type { ConsoleSize } from "./execs.ts";
import type { EndpointSettings } from "./networks.ts";
import type { AttachedStreams } from "./streams.ts";

export interface ContainerName {
  readonly id: string;
  readonly name: string;
}

/** The containers of this machine, by their whole ids. Every call that names one throws `NotFound` when there is none. */
export interface ContainerBackend {
  listContainers(): readonly ContainerFacts[];
  /** Of all of them; cheap. */
  containerNames(): readonly ContainerName[];
  getContainer(id: string): ContainerFacts;
  /** The new one's id. @throws `AlreadyExists` with details `holder`; `NotFound` (image); `InvalidArgument`; `Unimplemented`. */
  createContainer(request: ContainerRequest): Promise<string>;
  /**
   * @throws `FailedPrecondition` with details `state`; with details `exitCode` when the program could not be started.
   */
  startContainer(id: string): Promise<void>;
  /** @param timeoutMs undefined: as the container says. */
  stopContainer(id: string, signal: string, timeoutMs: number | undefined): Promise<void>;
  /** Stops it, if it runs, and starts it. @throws as both. */
  restartContainer(id: string, signal: string, timeoutMs: number | undefined): Promise<void>;
  killContainer(id: string, signal: string): Promise<void>;
  /** @throws `InvalidArgument` for what is no signal. */
  checkSignal(signal: string): void;
  pauseContainer(id: string): Promise<void>;
  unpauseContainer(id: string): Promise<void>;
  renameContainer(id: string, name: string): Promise<void>;
  updateContainer(id: string, change: ContainerChange): Promise<void>;
  removeContainer(
    id: string,
    options: { readonly force: boolean; readonly keepVolumes: boolean },
  ): Promise<void>;
  /** Resolves when it is so; rejects with `Cancelled` when `signal` aborts. */
  waitForContainer(
    id: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly error: string }>;
  containerLogs(
    id: string,
    query: ContainerLogQuery,
    signal: AbortSignal,
  ): AsyncIterable<ContainerLogLine>;
  /** Its streams; of one that does not run, from its next start on. */
  attachContainer(id: string): AttachedStreams;
  /** The window of its terminal. @throws `FailedPrecondition` with details `container` when it does not run. */
  resizeContainer(id: string, size: ConsoleSize): void;
  /** What `ps` says of its processes. @throws `FailedPrecondition` without ps; `InvalidArgument` with its words. */
  containerProcesses(id: string, psArgs: readonly string[]): Promise<ProcessTable>;
  containerSizes(id: string): Promise<ContainerSizes>;
  /** The id of an image that is here. */
  findImageId(name: string): string | undefined;
  abilities(): MachineAbilities;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface ContainerRequest {
  readonly settings: ContainerSettings;
  /** `host`, `none`, `container:<id>`, `default`, or a network's name or id. */
  readonly networkMode: string;
  /** Of one that has networks of its own; the first is that of `networkMode`. */
  readonly endpoints: readonly EndpointSettings[];
  /** `os[/architecture[/variant]]`; empty: any. */
  readonly platform: string;
}

/** What is not said stays. */
export interface ContainerChange {
  readonly limits?: ResourceLimits;
  readonly restart?: RestartPolicy;
}

export interface ContainerFacts {
  readonly id: string;
  readonly settings: ContainerSettings;
  readonly networkMode: string;
  /** What it calls itself. */
  readonly hostname: string;
  /** Whether it sees a control group of its own or the host's. */
  readonly cgroupMode: "private" | "host";
  /** What of /proc and /sys it does not see, and what it cannot write to; undefined: it has all privileges. */
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
  /** Ports of this machine that lead to it, while it runs, in the order of its own. */
  readonly publishedPorts: readonly PublishedPort[];
  /** Those of this machine it is in. */
  readonly networks: readonly NetworkFacts[];
  /** File of its network namespace while it runs in networks of this machine; empty otherwise. */
  readonly namespacePath: string;
  /** What clients are told of its network namespace while it runs; empty otherwise. */
  readonly sandbox: { readonly id: string; readonly path: string };
  readonly imageId: string;
  readonly image: ContainerImage;
  readonly mounts: readonly MountFacts[];
  readonly state: "created" | "running" | "exited" | "dead";
  readonly paused: boolean;
  readonly restarting: boolean;
  readonly restartCount: number;
  readonly pid: number;
  /** Of the commands in it that have not ended. */
  readonly execIds: readonly string[];
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly health: {
    readonly state: "none" | "starting" | "healthy" | "unhealthy";
    readonly failingStreak: number;
    readonly log: readonly {
      readonly startMs: number;
      readonly endMs: number;
      readonly exitCode: number;
      readonly output: string;
    }[];
  };
  readonly files: {
    readonly hostname: string;
    readonly hosts: string;
    readonly resolvConf: string;
    readonly log: string;
    readonly rootfs: {
      readonly lowerDirs: readonly string[];
      readonly upperDir: string;
      readonly workDir: string;
      readonly merged: string;
    };
  };
}

/** What a container has of a network of this machine. */
export interface NetworkFacts {
  readonly settings: EndpointSettings;
  /** Empty: there is no such network any more. */
  readonly networkId: string;
  /** What it is called there; empty where there are no names. */
  readonly dnsNames: readonly string[];
  /** While it runs. */
  readonly endpoint: EndpointFacts | undefined;
}

export interface EndpointFacts {
  readonly id: string;
  readonly address: string;
  readonly prefixLength: number;
  /** Empty: no way out. */
  readonly gateway: string;
  readonly ipv6:
    | { readonly address: string; readonly prefixLength: number; readonly gateway: string }
    | undefined;
  readonly mac: string;
}

/** A port of this machine that leads to a container. */
export interface PublishedPort extends ContainerPort {
  /** "0.0.0.0": every address of this machine. */
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** What the image gave it. */
export interface ContainerImage {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workdir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly healthcheck: HealthSettings | undefined;
}

export interface MountFacts extends MountSettings {
  /** Where it is on the host; empty for tmpfs. */
  readonly hostPath: string;
}

export interface ContainerLogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** -1: all. */
  readonly tail: number;
  readonly sinceMs: number;
  /** 0: no end. */
  readonly untilMs: number;
}

export interface ContainerLogLine {
  readonly timestamp: string;
  readonly stderr: boolean;
  readonly data: Uint8Array;
}

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

export interface ContainerSizes {
  readonly writtenBytes: number;
  /** Written ones and the image's. */
  readonly rootfsBytes: number;
}

/** What this machine's kernel can limit. */
export interface MachineAbilities {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly memoryReservation: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
  readonly blkioRates: boolean;
  readonly apparmor: boolean;
  readonly cpus: number;
  /** As the kernel lists them: `0`, `0-1`. */
  readonly memoryNodes: string;
  readonly cgroupKind: "v1" | "v2" | "hybrid";
  /** Names of the OCI runtimes there are, the default first. */
  readonly runtimes: readonly string[];
}
