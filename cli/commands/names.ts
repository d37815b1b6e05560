import type { Client } from "../client/client.ts";
import type { WireNode, WireService, WireTask } from "../client/wire.ts";

/** Names for ids, fetched once for a whole list. */
export interface Names {
  readonly service: (id: string) => string;
  readonly node: (id: string) => string;
}

/** @param resolve false: ids stay ids (`--no-resolve`). */
export async function fetchNames(client: Client, resolve: boolean): Promise<Names> {
  if (!resolve) return { service: (id) => id, node: (id) => id };
  const [services, nodes] = await Promise.all([
    client.get<WireService[]>("/services"),
    client.get<WireNode[]>("/nodes"),
  ]);
  const serviceNames = new Map(services.map((service) => [service.ID, service.Spec.Name]));
  const nodeNames = new Map(nodes.map((node) => [node.ID, node.Description?.Hostname ?? node.ID]));
  return { service: (id) => serviceNames.get(id) ?? id, node: (id) => nodeNames.get(id) ?? id };
}

/** "web.3", or "web.<node id>" for a global service. */
export function taskName(task: WireTask, names: Names): string {
  const slot = task.Slot === undefined ? (task.NodeID ?? "") : String(task.Slot);
  return `${names.service(task.ServiceID)}.${slot}`;
}
