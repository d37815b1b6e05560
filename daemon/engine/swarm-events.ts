import type { StoreEvent } from "../../manager/store/apply.ts";
import {
  type Node,
  NodeAvailability,
  NodeRole,
  NodeState,
  type Service,
  UpdateStatus_State,
} from "../../proto/gen/objects.ts";
import type { EventType, NewEngineEvent } from "../../runtime/events/types.ts";

const AVAILABILITIES: Readonly<Record<number, string>> = {
  [NodeAvailability.ACTIVE]: "active",
  [NodeAvailability.PAUSE]: "pause",
  [NodeAvailability.DRAIN]: "drain",
};
const ROLES: Readonly<Record<number, string>> = {
  [NodeRole.WORKER]: "worker",
  [NodeRole.MANAGER]: "manager",
};
const STATES: Readonly<Record<number, string>> = {
  [NodeState.UNKNOWN]: "unknown",
  [NodeState.DOWN]: "down",
  [NodeState.READY]: "ready",
  [NodeState.DISCONNECTED]: "disconnected",
};
const UPDATES: Readonly<Record<number, string>> = {
  [UpdateStatus_State.UPDATING]: "updating",
  [UpdateStatus_State.PAUSED]: "paused",
  [UpdateStatus_State.COMPLETED]: "completed",
  [UpdateStatus_State.ROLLBACK_STARTED]: "rollback_started",
  [UpdateStatus_State.ROLLBACK_PAUSED]: "rollback_paused",
  [UpdateStatus_State.ROLLBACK_COMPLETED]: "rollback_completed",
};

type Attributes = Record<string, string>;

/**
 * What a change of the swarm's state is to people who follow events; undefined: nothing. What its user has removed is gone,
 * though it stays until the last task has ended.
 *
 * Source: moby, daemon/cluster_events.go and daemon/events.go.
 */
export function swarmEvent(change: StoreEvent): NewEngineEvent | undefined {
  switch (change.kind) {
    case "service": {
      const [before, after] = [standing(change.before), standing(change.after)];
      return write("service", before, after, serviceName, serviceChanges);
    }
    case "network": {
      const [before, after] = [standing(change.before), standing(change.after)];
      return write("network", before, after, ({ spec }) => spec?.name);
    }
    case "node":
      return write("node", change.before, change.after, nodeName, nodeChanges);
    case "secret":
      return write("secret", change.before, change.after, ({ spec }) => spec?.name);
    case "config":
      return write("config", change.before, change.after, ({ spec }) => spec?.name);
    default:
      return undefined;
  }
}

function standing<T extends { readonly pendingDelete?: boolean | undefined }>(
  object: T | undefined,
): T | undefined {
  return object?.pendingDelete === true ? undefined : object;
}

function write<T extends { readonly id: string }>(
  type: EventType,
  before: T | undefined,
  after: T | undefined,
  nameOf: (object: T) => string | undefined,
  changes: (before: T, after: T) => Attributes = () => ({}),
): NewEngineEvent | undefined {
  const object = after ?? before;
  if (object === undefined) return undefined;
  const action = before === undefined ? "create" : after === undefined ? "remove" : "update";
  const changed = before !== undefined && after !== undefined ? changes(before, after) : {};
  const attributes = { ...changed, name: nameOf(object) ?? "" };
  return { type, action, actorId: object.id, attributes, scope: "swarm" };
}

function serviceName({ spec }: Service): string | undefined {
  return spec?.name;
}

function serviceChanges(before: Service, after: Service): Attributes {
  const image = ({ spec }: Service) => spec?.task?.container?.image ?? "";
  const replicas = ({ spec }: Service) =>
    spec?.mode?.$case === "replicated" ? String(spec.mode.value.replicas) : "";
  const update = ({ updateStatus }: Service) => UPDATES[updateStatus?.state ?? 0] ?? "";
  return {
    ...oldAndNew("image", image(before), image(after)),
    ...oldAndNew("replicas", replicas(before), replicas(after)),
    ...oldAndNew("updatestate", update(before), update(after)),
  };
}

function nodeName({ spec, description }: Node): string {
  return spec?.name || (description?.hostname ?? "");
}

function nodeChanges(before: Node, after: Node): Attributes {
  const availability = ({ spec }: Node) => AVAILABILITIES[spec?.availability ?? 0] ?? "";
  const state = ({ status }: Node) => STATES[status?.state ?? 0] ?? "";
  return {
    ...oldAndNew("availability", availability(before), availability(after)),
    ...oldAndNew("role", ROLES[before.role] ?? "", ROLES[after.role] ?? ""),
    ...oldAndNew("state", state(before), state(after)),
  };
}

function oldAndNew(name: string, before: string, after: string): Attributes {
  if (before === after) return {};
  return { [`${name}.old`]: before, [`${name}.new`]: after };
}
