import type {
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
  Network,
  NetworkSpec,
  Node,
  NodeSpec,
  Service,
  ServiceSpec,
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
  updateNode(ref: string, version: number, spec: NodeSpec): Promise<Node>;
  removeNode(ref: string, force: boolean): Promise<void>;

  createNetwork(spec: NetworkSpec): Promise<Network>;
  getNetwork(ref: string): Promise<Network>;
  listNetworks(filters: Filters): Promise<Network[]>;
  removeNetwork(ref: string): Promise<void>;

  getCluster(): Promise<Cluster>;
  updateCluster(update: UpdateClusterRequest): Promise<Cluster>;
}

/** Where the output of tasks comes from: manager/logs. */
export interface LogSource {
  read(selector: LogSelector, options: LogOptions, signal: AbortSignal): AsyncIterable<LogMessages>;
}
