import type {
  BackupPart,
  CreateServiceResponse,
  LogMessages,
  LogOptions,
  NodeView,
  ServiceView,
  TaskView,
  UpdateClusterRequest,
  UpdateServiceRequest,
  UpdateServiceResponse,
} from "../../proto/gen/control.ts";
import type {
  Cluster,
  Config,
  ConfigSpec,
  Network,
  NetworkSpec,
  Node,
  NodeSpec,
  Secret,
  SecretSpec,
  Service,
  ServiceSpec,
  UnlockKey,
} from "../../proto/gen/objects.ts";
import type { LogSelector } from "../logs/log-subscription.ts";
import type { Filters } from "./filters.ts";

/** Whose logs are wanted, as users name them. */
export type LogTarget = { readonly serviceRef: string } | { readonly taskRef: string };

/**
 * What users can ask of the swarm. Versions: of the leader itself, of a leader elsewhere over gRPC, and the gateway that
 * finds which of the two. A `ref` is a full id, a full name or a unique id prefix. Every method throws ClusterError with
 * a text Docker's clients may show.
 */
export interface Control {
  createService(spec: ServiceSpec): Promise<CreateServiceResponse>;
  getService(ref: string): Promise<Service>;
  listServices(filters: Filters): Promise<ServiceView[]>;
  updateService(update: UpdateServiceRequest): Promise<UpdateServiceResponse>;
  removeService(ref: string): Promise<void>;
  /** Ends with the logs, or when `signal` aborts. */
  serviceLogs(
    target: LogTarget,
    options: LogOptions,
    signal: AbortSignal,
  ): AsyncIterable<LogMessages>;

  getTask(ref: string): Promise<TaskView>;
  listTasks(filters: Filters): Promise<TaskView[]>;

  getNode(ref: string): Promise<NodeView>;
  listNodes(filters: Filters): Promise<NodeView[]>;
  /** @param force demotes a manager even if those left would be no majority. */
  updateNode(ref: string, version: number, spec: NodeSpec, force?: boolean): Promise<Node>;
  removeNode(ref: string, force: boolean): Promise<void>;
  /** Lets a node whose certificate expired too long ago have a new one, for a while. */
  approveNode(ref: string): Promise<Node>;

  createNetwork(spec: NetworkSpec): Promise<Network>;
  getNetwork(ref: string): Promise<Network>;
  listNetworks(filters: Filters): Promise<Network[]>;
  removeNetwork(ref: string): Promise<void>;

  createConfig(spec: ConfigSpec, data: Uint8Array): Promise<Config>;
  getConfig(ref: string): Promise<Config>;
  /** With their data, one after the other: together they may be more than fits. */
  listConfigs(filters: Filters): AsyncIterable<Config>;
  updateConfig(update: PayloadUpdate<ConfigSpec>): Promise<Config>;
  removeConfig(ref: string): Promise<void>;

  /** No secret that is returned has its data. */
  createSecret(spec: SecretSpec, data: Uint8Array): Promise<Secret>;
  getSecret(ref: string): Promise<Secret>;
  listSecrets(filters: Filters): Promise<Secret[]>;
  updateSecret(update: PayloadUpdate<SecretSpec>): Promise<Secret>;
  removeSecret(ref: string): Promise<void>;

  /** The parts of a backup: the whole state, everything acknowledged before the call in it. */
  backup(): AsyncIterable<BackupPart>;
  getCluster(): Promise<Cluster>;
  updateCluster(update: UpdateClusterRequest): Promise<Cluster>;
  /** With an empty key when managers are not locked. */
  getUnlockKey(): Promise<UnlockKey>;
}

/** New labels for a config or secret. */
export interface PayloadUpdate<Spec> {
  readonly ref: string;
  readonly version: number;
  readonly spec: Spec;
  /** Empty, or what it holds already. */
  readonly data: Uint8Array;
}

/** Where the output of tasks comes from: manager/logs. */
export interface LogSource {
  read(selector: LogSelector, options: LogOptions, signal: AbortSignal): AsyncIterable<LogMessages>;
}
