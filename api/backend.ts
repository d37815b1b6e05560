import type {
  CreateServiceResponse,
  LogMessage,
  LogOptions,
  NodeView,
  ServiceView,
  TaskView,
  UpdateServiceResponse,
} from "../proto/gen/control.ts";
import type {
  Cluster,
  ClusterSpec,
  Config,
  ConfigSpec,
  Network,
  NetworkSpec,
  Node,
  NodeAvailability,
  NodeSpec,
  Secret,
  SecretSpec,
  Service,
  ServiceSpec,
} from "../proto/gen/objects.ts";
import type { BuildBackend } from "./backends/builds.ts";
import type { ContainerFileBackend } from "./backends/container-files.ts";
import type { ContainerUsageBackend } from "./backends/container-usage.ts";
import type { ContainerBackend, MachineAbilities } from "./backends/containers.ts";
import type { DiskUsageBackend } from "./backends/disk-usage.ts";
import type { EventBackend } from "./backends/events.ts";
import type { ExecBackend } from "./backends/execs.ts";
import type { ImageBackend } from "./backends/images.ts";
import type { LocalNetworkBackend } from "./backends/networks.ts";
import type { RegistryBackend } from "./backends/registries.ts";
import type { VolumeBackend } from "./backends/volumes.ts";
import type { Filters } from "./http/filters.ts";

/*
 * What the API needs of the rest, one interface an area; `daemon/` supplies them. A `ref` is a full id, a full name or a
 * unique id prefix. Every method throws ClusterError; on a node that is no manager the cluster's areas throw
 * `Unavailable` with Docker's words.
 */

export interface ServiceBackend {
  createService(spec: ServiceSpec): Promise<CreateServiceResponse>;
  getService(ref: string): Promise<Service>;
  listServices(filters: Filters): Promise<ServiceView[]>;
  updateService(update: ServiceUpdate): Promise<UpdateServiceResponse>;
  removeService(ref: string): Promise<void>;
  /** Ends with the logs, or when `signal` aborts. */
  serviceLogs(
    target: { readonly serviceRef: string } | { readonly taskRef: string },
    options: LogOptions,
    signal: AbortSignal,
  ): AsyncIterable<LogMessage>;
}

export interface ServiceUpdate {
  readonly ref: string;
  readonly version: number;
  readonly spec: ServiceSpec;
  readonly rollback: boolean;
  readonly authFromPrevious: boolean;
}

export interface TaskBackend {
  getTask(ref: string): Promise<TaskView>;
  listTasks(filters: Filters): Promise<TaskView[]>;
}

export interface NodeBackend {
  getNode(ref: string): Promise<NodeView>;
  listNodes(filters: Filters): Promise<NodeView[]>;
  /** @param force demotes a manager even if those left are no majority that answers. */
  updateNode(ref: string, version: number, spec: NodeSpec, force: boolean): Promise<Node>;
  removeNode(ref: string, force: boolean): Promise<void>;
  /** Lets a node whose certificate expired too long ago have a new one. */
  approveNode(ref: string): Promise<Node>;
}

export interface NetworkBackend {
  createNetwork(spec: NetworkSpec): Promise<Network>;
  getNetwork(ref: string): Promise<Network>;
  listNetworks(filters: Filters): Promise<Network[]>;
  removeNetwork(ref: string): Promise<void>;
}

export interface ConfigBackend {
  createConfig(spec: ConfigSpec, data: Uint8Array): Promise<Config>;
  getConfig(ref: string): Promise<Config>;
  /** With their data, one after the other: together they may be more than fits. */
  listConfigs(filters: Filters): AsyncIterable<Config>;
  updateConfig(update: PayloadUpdate<ConfigSpec>): Promise<Config>;
  removeConfig(ref: string): Promise<void>;
}

/** What it returns never has a secret's data. */
export interface SecretBackend {
  createSecret(spec: SecretSpec, data: Uint8Array): Promise<Secret>;
  getSecret(ref: string): Promise<Secret>;
  listSecrets(filters: Filters): Promise<Secret[]>;
  updateSecret(update: PayloadUpdate<SecretSpec>): Promise<Secret>;
  removeSecret(ref: string): Promise<void>;
}

/** New labels for a config or secret. */
export interface PayloadUpdate<Spec> {
  readonly ref: string;
  readonly version: number;
  readonly spec: Spec;
  /** Empty, or what it holds already. */
  readonly data: Uint8Array;
}

export interface ClusterBackend {
  getCluster(): Promise<Cluster>;
  updateCluster(update: ClusterUpdate): Promise<Cluster>;
  /** `SWMKEY-1-…`; empty when managers are not locked. */
  getUnlockKey(): Promise<string>;
}

export interface ClusterUpdate {
  readonly version: number;
  readonly spec: ClusterSpec;
  readonly rotateWorkerToken: boolean;
  readonly rotateManagerToken: boolean;
  /** The root to move to, PEM; absent: the swarm makes one when the spec's `forceRotate` rises. */
  readonly signingCaCert?: string | undefined;
  readonly signingCaKey?: string | undefined;
  readonly rotateUnlockKey: boolean;
}

/** This node's own part in a swarm: coming, going and what it knows of itself. */
export interface MembershipBackend {
  /** Resolves with the new node's id. */
  init(options: InitOptions): Promise<string>;
  join(options: JoinOptions): Promise<void>;
  leave(force: boolean): Promise<void>;
  /** Takes the place of a locked manager again. @param key as `getUnlockKey` gives it. */
  unlock(key: string): Promise<void>;
  swarmInfo(): SwarmInfo;
}

export interface InitOptions {
  /** `address[:port]`; empty: 0.0.0.0:2377. */
  readonly listenAddr: string;
  /** `address|interface[:port]`; empty: detected, which fails when there are several. */
  readonly advertiseAddr: string;
  readonly availability: NodeAvailability;
  readonly forceNewCluster: boolean;
  /** CIDRs; empty: 10.0.0.0/8. */
  readonly defaultAddressPools: readonly string[];
  /** 0: 24. */
  readonly subnetSize: number;
  /** 0: 4789. */
  readonly dataPathPort: number;
  /** Changes the default spec where the body says something. */
  readonly amendSpec: (spec: ClusterSpec) => ClusterSpec;
}

export interface JoinOptions {
  readonly listenAddr: string;
  readonly advertiseAddr: string;
  readonly availability: NodeAvailability;
  readonly remoteAddrs: readonly string[];
  readonly joinToken: string;
}

export type LocalNodeState = "inactive" | "pending" | "active" | "error" | "locked";

export interface SwarmInfo {
  readonly state: LocalNodeState;
  readonly nodeId: string;
  readonly nodeAddr: string;
  readonly isManager: boolean;
  /** Why the state is `error`, `pending` or `locked`; empty otherwise. */
  readonly error: string;
  readonly remoteManagers: readonly { readonly nodeId: string; readonly addr: string }[];
  /** Known on managers only. */
  readonly cluster: Cluster | undefined;
  readonly nodes: number;
  readonly managers: number;
}

/** This machine: facts for `/info` and `/version`, and what a registry says of an image. */
export interface SystemBackend {
  facts(): SystemFacts;
  /** Asks the image's registry. @throws {ClusterError} `NotFound`, `Unauthenticated`, `Unavailable`. */
  distribution(image: string, registryAuth: string): Promise<DistributionFacts>;
}

export interface SystemFacts {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly gitCommit: string;
  readonly buildTime: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** Docker's words: x86_64, aarch64. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly dataRoot: string;
  readonly labels: readonly string[];
  readonly containers: {
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  readonly abilities: MachineAbilities;
  readonly images: number;
  readonly cgroupVersion: "1" | "2";
  /** What runs containers beside the daemon; the OCI runtimes come first. */
  readonly programs: readonly ProgramFacts[];
  /** File name of the init for containers that ask for one; empty: there is none. */
  readonly initProgram: string;
  /** Docker's name for what the data root is on. */
  readonly fileSystem: string;
  readonly cdi: { readonly dirs: readonly string[]; readonly devices: readonly string[] };
  readonly openFiles: number;
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly warnings: readonly string[];
}

export interface ProgramFacts {
  readonly name: string;
  readonly version: string;
  /** As it says itself; empty when it does not. */
  readonly commit: string;
}

export interface DistributionFacts {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant: string;
  }[];
}

/** The swarm's state in one file, and back: Muster's own, Docker has nothing like it. */
export interface BackupBackend {
  /** The file's bytes. @throws {ClusterError} before the first one when it cannot be made. */
  backup(passphrase: string): AsyncIterable<Uint8Array>;
  /** Makes this node, which is in no swarm, the only manager of the backup's. Resolves with its id. */
  restore(options: RestoreOptions): Promise<string>;
}

export interface RestoreOptions {
  readonly file: AsyncIterable<Uint8Array>;
  readonly passphrase: string;
  /** As of InitOptions. */
  readonly listenAddr: string;
  readonly advertiseAddr: string;
}

export interface Backends {
  readonly containers: ContainerBackend;
  readonly containerFiles: ContainerFileBackend;
  readonly execs: ExecBackend;
  readonly containerUsage: ContainerUsageBackend;
  readonly backups: BackupBackend;
  readonly images: ImageBackend;
  readonly services: ServiceBackend;
  readonly tasks: TaskBackend;
  readonly nodes: NodeBackend;
  readonly networks: NetworkBackend;
  readonly localNetworks: LocalNetworkBackend;
  readonly configs: ConfigBackend;
  readonly secrets: SecretBackend;
  readonly cluster: ClusterBackend;
  readonly membership: MembershipBackend;
  readonly system: SystemBackend;
  readonly events: EventBackend;
  readonly builds: BuildBackend;
  readonly registries: RegistryBackend;
  readonly diskUsage: DiskUsageBackend;
  readonly volumes: VolumeBackend;
}
