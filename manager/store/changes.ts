import {
  Cluster,
  Config,
  Network,
  Node,
  Secret,
  Service,
  ServiceRevision,
  Task,
} from "../../proto/gen/objects.ts";
import { type Change, Change_Action, type StoreObject } from "../../proto/gen/store.ts";
import { type Kind, storeObject, type WireByKind } from "./objects.ts";

/** Properties of each kind that an update may name; the rest is fixed at creation or kept by the store. */
export const UPDATE_FIELDS: { readonly [K in Kind]: readonly (keyof WireByKind[K])[] } = {
  service: ["spec", "previousSpec", "revision", "endpoint", "updateStatus", "pendingDelete"],
  revision: [],
  task: ["nodeId", "desiredState", "status", "networks"],
  node: [
    "spec",
    "description",
    "status",
    "role",
    "manager",
    "attachments",
    "tls",
    "renewalApprovedUntilMs",
  ],
  network: ["spec", "vni", "ipam", "pendingDelete"],
  cluster: [
    "spec",
    "rootCa",
    "defaultAddressPools",
    "subnetSize",
    "dataPathPort",
    "generation",
    "unlockKey",
  ],
  // Never their data: who wants other data makes another object.
  config: ["spec"],
  secret: ["spec"],
};

/** The parts of an object to change; a property given as undefined is removed. */
export type Patch<K extends Kind> = Partial<WireByKind[K]>;

/** How an update or removal is meant. */
export interface ChangeOptions {
  /** Refused with Aborted unless the object's `meta.version` is this. */
  readonly ifVersion?: number;
  /** Moves `meta.version`: for changes of specs, which users order by it. */
  readonly bumpVersion?: boolean;
  /** Passed over when the object is gone, instead of refusing the whole transaction. */
  readonly skipIfAbsent?: boolean;
}

/** Adds an object. `meta` is filled in by the store. */
export function createChange<K extends Kind>(kind: K, object: WireByKind[K]): Change {
  return change(Change_Action.CREATE, wrap(kind, object), {}, []);
}

/** Changes the properties named in `patch` and no others. */
export function updateChange<K extends Exclude<Kind, "revision">>(
  kind: K,
  id: string,
  patch: Patch<K>,
  options: ChangeOptions = {},
): Change {
  const object = { ...EMPTY[kind], ...patch, id };
  return change(Change_Action.UPDATE, wrap(kind, object), options, Object.keys(patch));
}

/** Removes an object; for revisions see `removeRevisionChange`. */
export function removeChange<K extends Exclude<Kind, "revision">>(
  kind: K,
  id: string,
  options: ChangeOptions = {},
): Change {
  return change(Change_Action.REMOVE, wrap(kind, { ...EMPTY[kind], id }), options, []);
}

/** Forgets a TaskSpec a service has had. */
export function removeRevisionChange(serviceId: string, revision: number): Change {
  const object = { ...EMPTY.revision, serviceId, revision };
  return change(Change_Action.REMOVE, wrap("revision", object), { skipIfAbsent: true }, []);
}

const EMPTY: WireByKind = {
  service: Service.create(),
  revision: ServiceRevision.create(),
  task: Task.create(),
  node: Node.create(),
  network: Network.create(),
  cluster: Cluster.create(),
  config: Config.create(),
  secret: Secret.create(),
};

function change(
  action: Change_Action,
  object: StoreObject,
  options: ChangeOptions,
  fields: string[],
): Change {
  const { ifVersion, bumpVersion = false, skipIfAbsent } = options;
  return { action, object, bumpVersion, fields, ifVersion, skipIfAbsent };
}

function wrap<K extends Kind>(kind: K, value: WireByKind[K]): StoreObject {
  return { kind: storeObject(kind, value) };
}
