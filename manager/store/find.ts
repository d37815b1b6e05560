import { ClusterError } from "../../core/errors.ts";
import type {
  StoredConfig,
  StoredNetwork,
  StoredNode,
  StoredSecret,
  StoredService,
  StoredTask,
} from "./objects.ts";
import type { TableReader } from "./table.ts";
import type { View } from "./tables.ts";

// A `ref` is what a user typed: a full id, a full name or a unique id prefix, looked up in this order. The `find…`
// throw InvalidArgument when a ref fits several, the `get…` also NotFound. The texts are those Docker's clients know.

/** The service a user means, if there is one. @throws {ClusterError} `InvalidArgument` when there are several. */
export function findService(view: View, ref: string): StoredService | undefined {
  return (
    view.services.get(ref) ?? view.services.byName(ref) ?? byPrefix("service", view.services, ref)
  );
}

/** The network a user means, if there is one; not one on its way out. @throws {ClusterError} as `findService`. */
export function findNetwork(view: View, ref: string): StoredNetwork | undefined {
  const present = (network: StoredNetwork) => network.pendingDelete !== true;
  const exact = view.networks.get(ref);
  if (exact !== undefined && present(exact)) return exact;
  return view.networks.byName(ref) ?? byPrefix("network", view.networks, ref, present);
}

/** The node a user means, by id, name, hostname or prefix. @throws {ClusterError} as `findService`. */
export function findNode(view: View, ref: string): StoredNode | undefined {
  const exact = view.nodes.get(ref);
  if (exact !== undefined || ref === "") return exact;
  const named = [...view.nodes.values()].filter(
    (node) => node.spec.name === ref || node.description?.hostname === ref,
  );
  if (named.length > 1) throw ambiguous("node", ref, named.length);
  return named[0] ?? byPrefix("node", view.nodes, ref);
}

/** The task a user means, by id or prefix. @throws {ClusterError} as `findService`. */
export function findTask(view: View, ref: string): StoredTask | undefined {
  return view.tasks.get(ref) ?? byPrefix("task", view.tasks, ref);
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getService(view: View, ref: string): StoredService {
  return found("service", ref, findService(view, ref));
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getNetwork(view: View, ref: string): StoredNetwork {
  return found("network", ref, findNetwork(view, ref));
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getNode(view: View, ref: string): StoredNode {
  return found("node", ref, findNode(view, ref));
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getTask(view: View, ref: string): StoredTask {
  return found("task", ref, findTask(view, ref));
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getConfig({ configs }: Pick<View, "configs">, ref: string): StoredConfig {
  return found("config", ref, findPayload("config", configs, ref));
}

/** @throws {ClusterError} `NotFound`, `InvalidArgument` when the ref fits several. */
export function getSecret({ secrets }: Pick<View, "secrets">, ref: string): StoredSecret {
  return found("secret", ref, findPayload("secret", secrets, ref));
}

function findPayload<T extends { readonly id: string }>(
  kind: string,
  table: TableReader<T> & { byName(name: string): T | undefined },
  ref: string,
): T | undefined {
  return table.get(ref) ?? table.byName(ref) ?? byPrefix(kind, table, ref);
}

/** The services that attach to a network by their spec. */
export function servicesUsing(view: View, networkId: string): StoredService[] {
  return [...view.services.values()].filter((service) =>
    service.spec.task.networks.some(({ target }) => target === networkId),
  );
}

function byPrefix<T extends { readonly id: string }>(
  kind: string,
  table: TableReader<T>,
  prefix: string,
  accept: (object: T) => boolean = () => true,
): T | undefined {
  if (prefix === "") return undefined;
  let match: T | undefined;
  let count = 0;
  for (const object of table.values()) {
    if (!object.id.startsWith(prefix) || !accept(object)) continue;
    match = object;
    count++;
  }
  if (count > 1) throw ambiguous(kind, prefix, count);
  return match;
}

function ambiguous(kind: string, ref: string, count: number): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `${kind} ${ref} is ambiguous (${count} matches found)`,
  );
}

function found<T>(kind: string, ref: string, object: T | undefined): T {
  if (object === undefined) throw new ClusterError("NotFound", `${kind} ${ref} not found`);
  return object;
}
