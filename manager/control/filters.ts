import { ClusterError } from "../../core/errors.ts";
import { NodeRole, TaskState } from "../../proto/gen/objects.ts";
import { taskName } from "../endpoints/entries.ts";
import { findNode, findService } from "../store/find.ts";
import type {
  StoredConfig,
  StoredNetwork,
  StoredNode,
  StoredSecret,
  StoredService,
  StoredTask,
} from "../store/objects.ts";
import type { View } from "../store/tables.ts";

// Docker's filters: values of one key are alternatives, keys must all match. Ids and names match by their beginning.

/** What a list request asks for. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Whether one object has one value of one key. */
type Matcher<T> = (object: T, value: string, view: View) => boolean;

const SERVICES: Readonly<Record<string, Matcher<StoredService>>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ spec }, value) => spec.name.startsWith(value),
  label: ({ spec }, value) => hasLabel(spec.labels, value),
  mode: ({ spec }, value) => (spec.mode?.$case ?? "replicated") === value,
  runtime: (_service, value) => value === "container",
};

const TASKS: Readonly<Record<string, Matcher<StoredTask>>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: (task, value, view) => {
    const service = view.services.get(task.serviceId);
    return service !== undefined && taskName(service, task).startsWith(value);
  },
  label: (task, value, view) => {
    const service = view.services.get(task.serviceId);
    return service !== undefined && hasLabel(service.spec.task.container?.labels ?? {}, value);
  },
  service: ({ serviceId }, value, view) => serviceId === (findService(view, value)?.id ?? value),
  node: ({ nodeId }, value, view) => nodeId === (findNode(view, value)?.id ?? value),
  "desired-state": ({ desiredState }, value) => desiredState === parseTaskState(value),
  runtime: (_task, value) => value === "container",
  "_up-to-date": (task, value, view) => {
    const isCurrent = view.services.get(task.serviceId)?.revision === task.revision;
    return isCurrent === (value === "true" || value === "1");
  },
};

const NODES: Readonly<Record<string, Matcher<StoredNode>>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ spec, description }, value) =>
    (description?.hostname ?? "").startsWith(value) ||
    (spec.name !== "" && spec.name.startsWith(value)),
  label: ({ description }, value) => hasLabel(description?.engineLabels ?? {}, value),
  "node.label": ({ spec }, value) => hasLabel(spec.labels, value),
  role: ({ role }, value) => role === parseRole(value),
  // Nodes are admitted by their certificate; none waits.
  membership: (_node, value) => value === "accepted",
};

const NETWORKS: Readonly<Record<string, Matcher<StoredNetwork>>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ spec }, value) => spec.name.includes(value),
  label: ({ spec }, value) => hasLabel(spec.labels, value),
  driver: ({ spec }, value) => spec.driver === value,
  scope: (_network, value) => value === "swarm",
  type: (_network, value) => value === "custom",
};

/** Of configs and of secrets. */
const PAYLOADS: Readonly<Record<string, Matcher<StoredConfig | StoredSecret>>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ spec }, value) => spec.name.startsWith(value),
  names: ({ spec }, value) => spec.name === value,
  label: ({ spec }, value) => hasLabel(spec.labels, value),
};

/** @throws {ClusterError} `InvalidArgument` for an unknown filter or a value it cannot have. */
export function filterServices(view: View, filters: Filters): StoredService[] {
  return select(view, view.services.values(), filters, SERVICES);
}

/** @throws {ClusterError} `InvalidArgument` for an unknown filter or a value it cannot have. */
export function filterTasks(view: View, filters: Filters): StoredTask[] {
  return select(view, view.tasks.values(), filters, TASKS);
}

/** @throws {ClusterError} `InvalidArgument` for an unknown filter or a value it cannot have. */
export function filterNodes(view: View, filters: Filters): StoredNode[] {
  return select(view, view.nodes.values(), filters, NODES);
}

/** Networks on their way out are not listed. @throws {ClusterError} as the others. */
export function filterNetworks(view: View, filters: Filters): StoredNetwork[] {
  const present = [...view.networks.values()].filter(({ pendingDelete }) => !pendingDelete);
  return select(view, present, filters, NETWORKS);
}

/** @throws {ClusterError} `InvalidArgument` for an unknown filter. */
export function filterConfigs(view: View, filters: Filters): StoredConfig[] {
  return select(view, view.configs.values(), filters, PAYLOADS);
}

/** @throws {ClusterError} `InvalidArgument` for an unknown filter. */
export function filterSecrets(view: View, filters: Filters): StoredSecret[] {
  return select(view, view.secrets.values(), filters, PAYLOADS);
}

function select<T>(
  view: View,
  objects: Iterable<T>,
  filters: Filters,
  matchers: Readonly<Record<string, Matcher<T>>>,
): T[] {
  const wanted = Object.entries(filters).map(([key, values]) => {
    const matcher = Object.hasOwn(matchers, key) ? matchers[key] : undefined;
    if (matcher === undefined) {
      const known = Object.keys(matchers).join(", ");
      throw new ClusterError("InvalidArgument", `invalid filter '${key}': use one of ${known}`);
    }
    return { matcher, values };
  });
  return [...objects].filter((object) =>
    wanted.every(
      ({ matcher, values }) =>
        values.length === 0 || values.some((value) => matcher(object, value, view)),
    ),
  );
}

/** `key`, or `key=value`. */
function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  if (!Object.hasOwn(labels, key)) return false;
  return equals < 0 || labels[key] === wanted.slice(equals + 1);
}

function parseTaskState(text: string): TaskState {
  const states: Readonly<Record<string, TaskState>> = TaskState;
  const name = text.toUpperCase();
  const state = Object.hasOwn(states, name) ? states[name] : undefined;
  if (state !== undefined) return state;
  throw new ClusterError("InvalidArgument", `invalid task state '${text}'`);
}

function parseRole(text: string): NodeRole {
  if (text === "manager") return NodeRole.MANAGER;
  if (text === "worker") return NodeRole.WORKER;
  throw new ClusterError("InvalidArgument", `invalid role filter '${text}': use manager or worker`);
}
