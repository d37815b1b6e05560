import type { TreeChange } from "../image/layer/tree-changes.ts";
import type { ImageConfig, Rootfs } from "../image/types.ts";
import type { EndpointConfig } from "../network/types.ts";
import type { ConsoleSize, Execs } from "./exec/types.ts";
import type { RootView } from "./root-views.ts";
import type { ContainerSettings, ResourceLimits, RestartPolicy } from "./settings.ts";
import type { Attachment } from "./stream/types.ts";

/** What a container is asked to be and what it is: the runtime's own words, free of Docker's wire shapes. */

/** 64 hexadecimal characters. */
export type ContainerId = string & { readonly __brand: "ContainerId" };

export interface ContainerConfig extends ContainerSettings {
  /** Unique on this machine; matches [a-zA-Z0-9][a-zA-Z0-9_.-]+. */
  readonly name: string;
  /** A reference or digest of an image that is present. */
  readonly image: string;
  /** Replaces the image's ENTRYPOINT (and drops its CMD) when not empty. */
  readonly entrypoint: readonly string[];
  /** Replaces the image's CMD when not empty. */
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Empty: the first 12 characters of the id. */
  readonly hostname: string;
  readonly user: string;
  readonly groups: readonly string[];
  /** Empty: the image's, else `/`. Must be absolute. */
  readonly workdir: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly readOnlyRootfs: boolean;
  readonly init: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  readonly mounts: readonly MountConfig[];
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  readonly health: HealthConfig | undefined;
  readonly limits: ResourceLimits;
  readonly network: NetworkMode;
  /** Lines for /etc/hosts beside localhost and the container's own: `IP name…`. */
  readonly extraHosts: readonly string[];
  /** The lines of /etc/resolv.conf; undefined: the host's file. */
  readonly resolvConf: string | undefined;
  /** Own addresses for /etc/hosts, without prefix length. */
  readonly addresses: readonly string[];
  readonly oomScoreAdj: number;
  /** A driver and its options, as `checkLog` lets them through; empty: json-file. */
  readonly log: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
}

/** A file a container finds at its start, kept in memory and gone with the container's run. */
export interface ContainerFile {
  /** Absolute path in the container. */
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** May be secret: never logged, never written to a disk. */
  readonly data: Uint8Array;
}

export type NetworkMode =
  | { readonly kind: "host" }
  | { readonly kind: "none" }
  /** Of its own, with an interface in each of these networks of this machine while it runs. */
  | {
      readonly kind: "local";
      /** The one it was made for, as somebody named it. */
      readonly network: string;
      /** None: it was taken out of all of them. */
      readonly endpoints: readonly EndpointConfig[];
    }
  /** That of another container, which must run. */
  | { readonly kind: "container"; readonly id: string }
  /** A network namespace prepared by the caller: path of its bind mount. The caller removes it. */
  | { readonly kind: "namespace"; readonly path: string };

export interface MountConfig {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Host path, or the volume's name; empty for tmpfs and anonymous volumes. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  readonly tmpfsSizeBytes: number;
  readonly tmpfsMode: number;
  readonly noCopy: boolean;
  /** More options of a tmpfs as mount(8) has them: `exec`, `uid=1000`. */
  readonly tmpfsOptions?: readonly string[] | undefined;
  /** A bind takes what is mounted below its source with it, unless this is set. */
  readonly nonRecursive?: boolean | undefined;
  /** A bind's source is made, a directory, when it is not there. */
  readonly createSource?: boolean | undefined;
  /** For a volume that is made: its labels, and what is mounted in it, as `VolumeOptions`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
  /** Of a volume only this part of it, a relative path that leads to nothing outside. */
  readonly subpath?: string | undefined;
  /** How far down a read-only bind is: `top`, what is mounted in it may be written to; `all`, or it fails; else as far as this
   * machine can. */
  readonly readOnlyDepth?: "top" | "all" | undefined;
  /** The volume was made for a container alone, and goes with the last that has it. */
  readonly anonymous?: boolean | undefined;
}

/** A mount whose source is known: the volume's directory, the bind's path; empty for tmpfs. */
export interface ResolvedMount extends MountConfig {
  readonly hostPath: string;
}

/** The same for one run, whose sources are there. */
export interface PreparedMount extends ResolvedMount {
  /** The source is no directory. */
  readonly isFile?: boolean;
}

/** Zero and empty mean: the image's, else the default. */
export interface HealthConfig {
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

export type ContainerState = "created" | "running" | "exited" | "dead";
export type HealthState = "none" | "starting" | "healthy" | "unhealthy";

export interface Container {
  readonly id: ContainerId;
  readonly config: ContainerConfig;
  /** Digest of the image's configuration: "sha256:…". */
  readonly imageId: string;
  readonly imageConfig: ImageConfig;
  readonly mounts: readonly ResolvedMount[];
  readonly state: ContainerState;
  /** Its processes are frozen; it counts as running. */
  readonly paused: boolean;
  /** It has ended and is about to be started again by its restart policy. */
  readonly restarting: boolean;
  /** Starts by its restart policy since somebody last started it. */
  readonly restartCount: number;
  /** Of the container's first process while running, else 0. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why it could not start, empty otherwise. */
  readonly error: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly health: HealthStatus;
}

export interface HealthStatus {
  readonly state: HealthState;
  readonly failingStreak: number;
  /** Newest last, at most HEALTH_LOG_MAX. */
  readonly log: readonly {
    readonly startMs: number;
    readonly endMs: number;
    readonly exitCode: number;
    /** First 4096 bytes. */
    readonly output: string;
  }[];
}

export type ContainerEvent =
  | {
      readonly kind:
        | "started"
        | "removed"
        | "created"
        | "paused"
        | "unpaused"
        | "updated"
        /** By somebody, and it has ended. */
        | "stopped"
        /** By somebody: stopped and started. */
        | "restarted"
        /** Somebody has its streams. */
        | "attached"
        /** Somebody left its streams while it runs. */
        | "detached";
      readonly id: ContainerId;
    }
  /** Of a command in it. */
  | {
      readonly kind: "exec";
      readonly id: ContainerId;
      readonly execId: string;
      readonly action: "create" | "start" | "detach" | "die";
      readonly command: readonly string[];
      readonly exitCode: number;
    }
  | {
      readonly kind: "resized";
      readonly id: ContainerId;
      readonly height: number;
      readonly width: number;
    }
  | { readonly kind: "killed"; readonly id: ContainerId; readonly signal: number }
  | { readonly kind: "renamed"; readonly id: ContainerId; readonly oldName: string }
  | {
      readonly kind: "exited";
      readonly id: ContainerId;
      readonly exitCode: number;
      readonly oomKilled: boolean;
      readonly ranMs: number;
    }
  | { readonly kind: "health"; readonly id: ContainerId; readonly state: HealthState };

export interface LogRecord {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stderr: boolean;
  /** One line with its newline, or a part of one longer than 16 KiB. */
  readonly data: Uint8Array;
}

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Lines from the end; -1: all. */
  readonly tail: number;
  readonly sinceMs: number;
  /** 0: no end. */
  readonly untilMs: number;
  readonly signal?: AbortSignal;
}

/** This machine's containers. Every call that names an id throws `NotFound` when there is none. */
export interface Containers {
  /** Makes bundle, snapshot and record; nothing runs. @throws `AlreadyExists` (name), `NotFound` (image), `InvalidArgument`. */
  create(config: ContainerConfig): Promise<Container>;
  /** Resolves when the process has been started. @throws `FailedPrecondition` when it is running, `Internal` with runc's words. */
  start(id: ContainerId, options?: { readonly files?: readonly ContainerFile[] }): Promise<void>;
  /** Sends the signal, and SIGKILL after `timeoutMs`; resolves when it has exited. No error if it has already. */
  stop(
    id: ContainerId,
    options?: { readonly signal?: string; readonly timeoutMs?: number },
  ): Promise<void>;
  /** Sends the signal; after SIGKILL resolves when it has ended, or does not for 10 s. */
  kill(id: ContainerId, signal: string): Promise<void>;
  /** Also snapshot, logs, cgroup, its own volumes. @throws `FailedPrecondition` when running and not `force`. */
  remove(id: ContainerId, options?: { readonly force?: boolean }): Promise<void>;
  /** Resolves at once if it is not running. */
  wait(id: ContainerId): Promise<{ readonly exitCode: number }>;
  get(id: ContainerId): Container;
  list(): readonly Container[];
  logs(id: ContainerId, query: LogQuery): AsyncIterable<LogRecord>;
  /** Runs a command inside; for health checks and exec. Output is cut at EXEC_OUTPUT_BYTES_MAX. */
  exec(
    id: ContainerId,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  onEvent(listener: (event: ContainerEvent) => void): () => void;
}

/** Somebody's part of a container's streams. */
export interface ContainerAttachment extends Attachment {
  /** Goes, by somebody's own will: the journal says so. */
  detach(): void;
}

/** Where on the host some files of a container are; the network files while it runs. */
export interface ContainerFilePaths {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
  /** Of the driver json-file; empty with others. */
  readonly log: string;
  readonly rootfs: Rootfs;
}

/** What the API's clients do with containers beyond what tasks of services need. Each throws `NotFound`. */
export interface MachineContainers extends Containers {
  readonly execs: Execs;
  /** @param options `keepVolumes`: volumes made for it alone stay. */
  remove(
    id: ContainerId,
    options?: { readonly force?: boolean; readonly keepVolumes?: boolean },
  ): Promise<void>;
  /** Stops it, if it runs, and starts it. @throws as both. */
  restart(
    id: ContainerId,
    options?: { readonly signal?: string; readonly timeoutMs?: number },
  ): Promise<void>;
  /** Freezes its processes. @throws `FailedPrecondition` when it does not run or is frozen. */
  pause(id: ContainerId): Promise<void>;
  /** @throws `FailedPrecondition` when it is not frozen. */
  unpause(id: ContainerId): Promise<void>;
  /** @throws `AlreadyExists`, `InvalidArgument`. */
  rename(id: ContainerId, name: string): Promise<void>;
  /** What is not said stays. @throws `InvalidArgument`; `Internal` with the runtime's words. */
  update(
    id: ContainerId,
    change: { readonly limits?: ResourceLimits; readonly restart?: RestartPolicy },
  ): Promise<void>;
  /** Its streams; of one that does not run, from its next start on. */
  attach(id: ContainerId): ContainerAttachment;
  /** The window of its terminal. @throws `FailedPrecondition` when it does not run; `InvalidArgument`. */
  resize(id: ContainerId, size: ConsoleSize): void;
  /** Puts it into one more network, at once when it runs. @throws `InvalidArgument`, `PermissionDenied`, `NotFound`. */
  connect(id: ContainerId, endpoint: EndpointConfig): Promise<void>;
  /** Takes it out of a network, by its name. @throws `InvalidArgument`, `PermissionDenied`. */
  disconnect(id: ContainerId, network: string): Promise<void>;
  filesOf(id: ContainerId): ContainerFilePaths;
  /** Of every process in it, on the host; none when it does not run. */
  pidsOf(id: ContainerId): readonly number[];
}

/** The files inside containers. Each throws `NotFound`. */
export interface ContainerRoots {
  /**
   * Opens its files to somebody who copies, whether it runs or not; the caller closes.
   *
   * @param withMounts also what is mounted into it: volumes, directories of the host.
   * @throws `FailedPrecondition`, `ResourceExhausted`.
   */
  openView(id: ContainerId, withMounts: boolean): Promise<RootView>;
  /** What it has changed of its image's files, in the order of paths. */
  changes(id: ContainerId): Promise<readonly TreeChange[]>;
}
