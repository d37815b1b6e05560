import type {
  Cluster,
  ClusterSpec,
  Config,
  ConfigSpec,
  Meta,
  Network,
  NetworkSpec,
  Node,
  NodeSpec,
  NodeStatus,
  Secret,
  SecretSpec,
  Service,
  ServiceRevision,
  ServiceSpec,
  Task,
  TaskSpec,
  TaskStatus,
} from "../../proto/gen/objects.ts";
import type { StoreObject } from "../../proto/gen/store.ts";

// What protobuf cannot say: the parts every stored object has. Stored objects are never changed in place.

/** A service as stored: it always has its spec and bookkeeping. */
export type StoredService = Readonly<Service> & {
  readonly meta: Meta;
  readonly spec: ServiceSpec & { readonly task: TaskSpec };
};
/** One TaskSpec a service has had. */
export type StoredRevision = Readonly<ServiceRevision> & { readonly task: TaskSpec };
/** A task as stored. `meta.version` is the log index of its creation: of two tasks the higher is the younger. */
export type StoredTask = Readonly<Task> & { readonly meta: Meta; readonly status: TaskStatus };
/** A node as stored. */
export type StoredNode = Readonly<Node> & {
  readonly meta: Meta;
  readonly spec: NodeSpec;
  readonly status: NodeStatus;
};
/** A network as stored. */
export type StoredNetwork = Readonly<Network> & {
  readonly meta: Meta;
  readonly spec: NetworkSpec;
};
/** A config as stored. */
export type StoredConfig = Readonly<Config> & { readonly meta: Meta; readonly spec: ConfigSpec };
/** A secret as stored. */
export type StoredSecret = Readonly<Secret> & { readonly meta: Meta; readonly spec: SecretSpec };
/** The cluster's own object; there is one. */
export type StoredCluster = Readonly<Cluster> & {
  readonly meta: Meta;
  readonly spec: ClusterSpec;
};

/** The stored form of each kind of object. */
export interface StoredByKind {
  readonly service: StoredService;
  readonly revision: StoredRevision;
  readonly task: StoredTask;
  readonly node: StoredNode;
  readonly network: StoredNetwork;
  readonly cluster: StoredCluster;
  readonly config: StoredConfig;
  readonly secret: StoredSecret;
}

/** The wire form of each kind of object. */
export interface WireByKind {
  readonly service: Service;
  readonly revision: ServiceRevision;
  readonly task: Task;
  readonly node: Node;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly config: Config;
  readonly secret: Secret;
}

/** The tables of the store; names of the `StoreObject` cases. */
export type Kind = keyof StoredByKind;

/** Any object in its wire form, with the name of its kind. */
export type AnyObject = NonNullable<StoreObject["kind"]>;

/** An object together with the name of its kind. */
export function storeObject<K extends Kind>(kind: K, value: WireByKind[K]): AnyObject {
  // The pair is of one case by its type; TypeScript cannot follow that through the union.
  return { $case: kind, value } as AnyObject;
}

/** What identifies a revision in its table. */
export function revisionKey(serviceId: string, revision: number): string {
  return `${serviceId}/${revision}`;
}

/** What identifies an object in the table of its kind. */
export function keyOf(object: AnyObject): string {
  if (object.$case === "revision")
    return revisionKey(object.value.serviceId, object.value.revision);
  return object.value.id;
}

/** The word for an object in messages: its name where it has one, else its key. */
export function nameOf(object: AnyObject): string {
  switch (object.$case) {
    case "service":
    case "network":
    case "config":
    case "secret":
      return object.value.spec?.name || object.value.id;
    case "node":
      return object.value.description?.hostname || object.value.id;
    case "revision":
    case "task":
    case "cluster":
      return keyOf(object);
  }
}

/** The spec of a service's own mode: how many replicas, or undefined for a global service. */
export function replicasOf(service: StoredService): number | undefined {
  const mode = service.spec.mode;
  if (mode?.$case === "global") return undefined;
  return mode?.$case === "replicated" ? mode.value.replicas : 1;
}

/** The first part a stored object of this kind must have and this one has not; `meta` and statuses the store fills in. */
export function missingPart(object: AnyObject): string | undefined {
  if (keyOf(object) === "") return "id";
  switch (object.$case) {
    case "service":
      if (object.value.spec === undefined) return "spec";
      return object.value.spec.task === undefined ? "spec.task" : undefined;
    case "revision":
      return object.value.task === undefined ? "task" : undefined;
    case "task":
      return object.value.serviceId === "" ? "service id" : undefined;
    case "node":
    case "network":
    case "cluster":
      return object.value.spec === undefined ? "spec" : undefined;
    case "config":
    case "secret":
      if (object.value.spec === undefined) return "spec";
      return object.value.data.length === 0 ? "data" : undefined;
  }
}
