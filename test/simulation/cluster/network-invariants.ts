import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import { EndpointTables } from "../../../manager/endpoints/endpoint-tables.ts";
import type { StoredTask } from "../../../manager/store/objects.ts";
import type { View } from "../../../manager/store/tables.ts";
import { isEnded, isHeld } from "../../../manager/store/task-life.ts";
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import type { World } from "./world.ts";

/** What must hold of addresses in the store and of the tables nodes have. */
export class NetworkInvariants {
  readonly #world: World;
  readonly #tables = new Map<string, { readonly hash: number; readonly nodeId: string }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** UniqueAddresses: nothing that is there shares an address of its network with anything else. */
  onApplied(view: View): void {
    const owners = new Map<string, string>();
    const take = (networkId: string, address: string, owner: string): void => {
      const key = `${networkId} ${address.split("/")[0]}`;
      const other = owners.get(key);
      if (other !== undefined) {
        this.#world.violate(`UniqueAddresses: ${owner} and ${other} have ${address}`);
      }
      owners.set(key, owner);
    };
    for (const { id, ipam } of view.networks.values()) {
      for (const { gateway } of ipam) take(id, gateway, "the gateway");
    }
    for (const { id, attachments } of view.nodes.values()) {
      for (const { networkId, addresses } of attachments) {
        for (const address of addresses) take(networkId, address, id);
      }
    }
    for (const { id, endpoint } of view.services.values()) {
      for (const { networkId, address } of endpoint?.virtualIps ?? []) take(networkId, address, id);
    }
    for (const task of view.tasks.values()) {
      if (isEnded(task)) continue;
      for (const { networkId, addresses } of task.networks) {
        for (const address of addresses) take(networkId, address, task.id);
      }
    }
  }

  /** EqualTables: two nodes that have the same version of a network's table have the same table, whoever led. */
  onTable(nodeId: string, table: EndpointTable): void {
    const key = `${table.networkId} ${table.version}`;
    const hash = crc32(EndpointTable.encode(table).finish());
    const known = this.#tables.get(key);
    if (known === undefined) this.#tables.set(key, { hash, nodeId });
    else if (known.hash !== hash) {
      this.#world.violate(
        `EqualTables: ${nodeId} and ${known.nodeId} differ at version ${table.version} of ${table.networkId}`,
      );
    }
  }

  /** EventuallyAsDesired, of what nodes know of networks. @returns what is not yet so. */
  whatIsMissing(view: View): string | undefined {
    const tables = new EndpointTables(view);
    for (const { nodeId, dataPlane } of this.#world.nodes) {
      for (const networkId of networksOf(view.tasks.ofNode(nodeId))) {
        if (!dataPlane.tables.has(networkId)) return `${nodeId} has no table of ${networkId}`;
      }
      for (const [networkId, table] of dataPlane.tables) {
        const now = tables.table(networkId);
        if (now === undefined) return `${nodeId} has a table of ${networkId}, which is gone`;
        if (!isDeepStrictEqual({ ...table, version: 0 }, { ...now, version: 0 })) {
          return `${nodeId} has an old table of ${networkId}`;
        }
      }
    }
    return undefined;
  }
}

function networksOf(tasks: Iterable<StoredTask>): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const task of tasks) {
    if (!isHeld(task)) continue;
    for (const { networkId } of task.networks) ids.add(networkId);
  }
  return ids;
}
