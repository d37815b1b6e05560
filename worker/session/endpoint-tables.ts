import { ClusterError } from "../../core/errors.ts";
import {
  applyEndpointUpdate,
  continuesTable,
  emptyEndpointTable,
} from "../../proto/endpoint-table.ts";
import type { EndpointTable, EndpointUpdate } from "../../proto/gen/endpoints.ts";

/** What a finished update means. */
export type TableNews =
  | { readonly kind: "changed"; readonly table: EndpointTable }
  | { readonly kind: "removed"; readonly networkId: string };

/** Parts of one update held until the last: more is not an update but a flood. */
export const UPDATE_PARTS_MAX = 10_000;

/** The endpoint tables this node was told, put together from the parts of their updates. */
export class EndpointTables {
  readonly #tables = new Map<string, EndpointTable>();
  readonly #parts = new Map<string, EndpointUpdate[]>();

  /** @param known tables kept from before; the managers are told their versions. */
  constructor(known: readonly EndpointTable[]) {
    for (const table of known) this.#tables.set(table.networkId, table);
  }

  /** A new session: what the old one left unfinished will not be finished. */
  begin(): void {
    this.#parts.clear();
  }

  tables(): EndpointTable[] {
    return [...this.#tables.values()];
  }

  /**
   * Takes in the next part.
   *
   * @returns undefined until an update is whole.
   * @throws {ClusterError} `DataLoss` when it does not continue the table known: the session must start over.
   */
  apply(update: EndpointUpdate): TableNews | undefined {
    const { networkId } = update;
    if (update.removed) {
      this.#tables.delete(networkId);
      this.#parts.delete(networkId);
      return { kind: "removed", networkId };
    }
    const table = this.#tables.get(networkId) ?? emptyEndpointTable(networkId);
    const parts = this.#parts.get(networkId) ?? [];
    const first = parts[0] ?? update;
    if (!continuesTable(table, update) || update.version !== first.version) {
      // Forgotten, so that the next session asks for the whole table.
      this.#tables.delete(networkId);
      throw new ClusterError(
        "DataLoss",
        `cannot follow the endpoints of network ${networkId}: an update from version ${update.fromVersion} to ${update.version} came on version ${table.version}`,
      );
    }
    parts.push(update);
    this.#parts.set(networkId, parts);
    if (!update.last) return this.#checkLength(parts);
    this.#parts.delete(networkId);
    const changed = applyEndpointUpdate(table, parts);
    this.#tables.set(networkId, changed);
    return { kind: "changed", table: changed };
  }

  #checkLength(parts: readonly EndpointUpdate[]): undefined {
    if (parts.length < UPDATE_PARTS_MAX) return undefined;
    throw new ClusterError("ResourceExhausted", "an endpoint update has too many parts");
  }
}
