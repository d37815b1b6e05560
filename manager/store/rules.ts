import type { ErrorCode } from "../../core/errors.ts";
import type { Config, Network, Secret, Service, Task } from "../../proto/gen/objects.ts";
import { DESIRED_STATES } from "../../proto/task-transitions.ts";
import type { AnyObject, Kind, StoredByKind, StoredService } from "./objects.ts";
import { heldPorts } from "./ports.ts";
import { findMissingReference, findReader } from "./references.ts";
import type { Tables } from "./tables.ts";

/** Why an object may not be stored beside the others. */
export interface Conflict {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * The rules between objects, checked at apply so that two writers who could not see each other cannot break them:
 * names are unique, a published port has one service, services attach to networks that stay and read configs and
 * secrets that are there, there is one ingress network and one cluster, tasks belong to what exists and are wanted in a
 * state tasks can be wanted in.
 *
 * @param before the object with the same key, if there is one.
 */
export function findConflict(
  tables: Tables,
  object: AnyObject,
  before: StoredByKind[Kind] | undefined,
): Conflict | undefined {
  switch (object.$case) {
    case "service":
      return findServiceConflict(tables, object.value, before as StoredService | undefined);
    case "network":
      return findNetworkConflict(tables, object.value);
    case "task":
      return findTaskConflict(tables, object.value, before as StoredByKind["task"] | undefined);
    case "cluster":
      if (before !== undefined || tables.cluster === undefined) return undefined;
      return { code: "AlreadyExists", message: "the cluster exists already" };
    case "config":
      return findPayloadConflict("config", object.value, tables.configs, before);
    case "secret":
      return findPayloadConflict("secret", object.value, tables.secrets, before);
    case "revision":
    case "node":
      return undefined;
  }
}

/** Why an object may not be removed. */
export function findRemovalConflict(
  tables: Tables,
  kind: Kind,
  object: StoredByKind[Kind],
): Conflict | undefined {
  if (kind === "config") return findReader(tables, kind, object as StoredByKind["config"]);
  if (kind === "secret") return findReader(tables, kind, object as StoredByKind["secret"]);
  return undefined;
}

function findPayloadConflict(
  kind: "config" | "secret",
  { id, spec }: Config | Secret,
  table: { byName(name: string): { readonly id: string } | undefined },
  before: StoredByKind[Kind] | undefined,
): Conflict | undefined {
  const name = spec?.name ?? "";
  if (before !== undefined && nameOfPayload(before) !== name) {
    return { code: "InvalidArgument", message: "only updates to Labels are allowed" };
  }
  const namesake = table.byName(name);
  if (namesake === undefined || namesake.id === id) return undefined;
  return { code: "AlreadyExists", message: `${kind} ${name} already exists` };
}

function nameOfPayload(object: StoredByKind[Kind]): string {
  return (object as StoredByKind["config" | "secret"]).spec.name;
}

function findServiceConflict(
  tables: Tables,
  service: Service,
  before: StoredService | undefined,
): Conflict | undefined {
  const { name = "" } = service.spec ?? {};
  const namesake = tables.services.byName(name);
  if (namesake !== undefined && namesake.id !== service.id) return nameTaken("service", name);
  for (const { target } of service.spec?.task?.networks ?? []) {
    const network = tables.networks.get(target);
    if (network !== undefined && network.pendingDelete !== true) continue;
    return { code: "NotFound", message: `network ${target} not found` };
  }
  if (service.spec !== before?.spec) {
    const missing = findMissingReference(tables, service.spec, [
      before?.spec,
      before?.previousSpec,
    ]);
    if (missing !== undefined) return missing;
  }
  for (const key of heldPorts(service as StoredService)) {
    const holder = tables.services.byPort(key);
    if (holder === undefined || holder.id === service.id) continue;
    return {
      code: "InvalidArgument",
      message: `port '${key}' is already in use by service '${holder.spec.name}' (${holder.id}) as an ingress port`,
    };
  }
  return undefined;
}

function findNetworkConflict(tables: Tables, network: Network): Conflict | undefined {
  if (network.pendingDelete === true) return findUser(tables, network);
  const { name = "", ingress = false } = network.spec ?? {};
  const namesake = tables.networks.byName(name);
  if (namesake !== undefined && namesake.id !== network.id) return nameTaken("network", name);
  if (!ingress) return undefined;
  for (const other of tables.networks.values()) {
    if (!other.spec.ingress || other.id === network.id || other.pendingDelete === true) continue;
    return {
      code: "AlreadyExists",
      message: `ingress network (${other.id}) is already present`,
    };
  }
  return undefined;
}

function findUser(tables: Tables, network: Network): Conflict | undefined {
  for (const service of tables.services.values()) {
    if (!service.spec.task.networks.some(({ target }) => target === network.id)) continue;
    return {
      code: "FailedPrecondition",
      message: `network ${network.spec?.name} is in use by service ${service.spec.name}; remove the service first`,
    };
  }
  return undefined;
}

function findTaskConflict(
  tables: Tables,
  task: Task,
  before: StoredByKind["task"] | undefined,
): Conflict | undefined {
  const missing = (what: string): Conflict => ({
    code: "NotFound",
    message: `task ${task.id} has no ${what}`,
  });
  if (before === undefined) {
    if (tables.services.get(task.serviceId) === undefined)
      return missing(`service ${task.serviceId}`);
    if (tables.revisions.find(task.serviceId, task.revision) === undefined) {
      return missing(`revision ${task.revision} of service ${task.serviceId}`);
    }
  }
  if (!DESIRED_STATES.includes(task.desiredState)) {
    return {
      code: "InvalidArgument",
      message: `task ${task.id} cannot be wanted in state ${task.desiredState}`,
    };
  }
  const chosen = task.nodeId !== "" && task.nodeId !== before?.nodeId;
  if (chosen && tables.nodes.get(task.nodeId) === undefined) return missing(`node ${task.nodeId}`);
  return undefined;
}

function nameTaken(kind: string, name: string): Conflict {
  return {
    code: "AlreadyExists",
    message: `name conflicts with an existing object: ${kind} ${name} already exists`,
  };
}
