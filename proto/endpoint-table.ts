import { assert } from "../core/assert.ts";
import type { EndpointNetwork, EndpointTable, EndpointUpdate } from "./gen/endpoints.ts";

/** The table of a network nothing is known of. */
export function emptyEndpointTable(networkId: string): EndpointTable {
  return { networkId, version: 0, network: undefined, services: [], endpoints: [], nodes: [] };
}

/** Whether an update continues this table: a whole table always does, a difference only from its own version. */
export function continuesTable(table: EndpointTable, update: EndpointUpdate): boolean {
  return update.fromVersion === 0 || update.fromVersion === table.version;
}

/**
 * The table after one update, of which `parts` are all messages in the order they came.
 *
 * @throws {InvariantError} when the parts are not of one update or do not continue `table`: see `continuesTable`.
 */
export function applyEndpointUpdate(
  table: EndpointTable,
  parts: readonly EndpointUpdate[],
): EndpointTable {
  const first = parts[0];
  assert(first !== undefined, "an endpoint update without a part");
  assert(continuesTable(table, first), `endpoint update from version ${first.fromVersion}`);
  const base = first.fromVersion === 0 ? emptyEndpointTable(first.networkId) : table;

  const services = new Map(base.services.map((service) => [service.serviceId, service]));
  const endpoints = new Map(base.endpoints.map((endpoint) => [endpoint.taskId, endpoint]));
  const nodes = new Map(base.nodes.map((node) => [node.nodeId, node]));
  let network: EndpointNetwork | undefined = base.network;
  for (const part of parts) {
    assert(part.version === first.version, "parts of different endpoint updates");
    network = part.network ?? network;
    for (const id of part.removeServiceIds) services.delete(id);
    for (const id of part.removeTaskIds) endpoints.delete(id);
    for (const id of part.removeNodeIds) nodes.delete(id);
    for (const service of part.putServices) services.set(service.serviceId, service);
    for (const endpoint of part.putEndpoints) endpoints.set(endpoint.taskId, endpoint);
    for (const node of part.putNodes) nodes.set(node.nodeId, node);
  }
  return {
    networkId: first.networkId,
    version: first.version,
    network,
    services: inOrder(services),
    endpoints: inOrder(endpoints),
    nodes: inOrder(nodes),
  };
}

/** Values by ascending key, so that equal tables are equal as data. */
function inOrder<V>(byKey: ReadonlyMap<string, V>): V[] {
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);
}
