import type {
  Endpoint,
  EndpointNetwork,
  EndpointNode,
  EndpointService,
  EndpointTable,
  EndpointUpdate,
} from "../../proto/gen/endpoints.ts";
import { equalData } from "../store/equal.ts";

/** Changes of one network remembered, to tell a node what is new; one further behind gets the whole table. */
export const TABLE_CHANGES_MAX = 4_096;

/** The kinds of entries of a table. */
export interface EntryByKind {
  readonly service: EndpointService;
  readonly endpoint: Endpoint;
  readonly node: EndpointNode;
}
export type EntryKind = keyof EntryByKind;

interface TableChange {
  readonly version: number;
  readonly kind: EntryKind | "network";
  readonly id: string;
}

/** The endpoint table of one network with its recent past, so that a node can be told only what changed since. */
export class NetworkTable {
  readonly networkId: string;
  #network: EndpointNetwork | undefined;
  #version: number;
  readonly #entries: { readonly [K in EntryKind]: Map<string, EntryByKind[K]> } = {
    service: new Map(),
    endpoint: new Map(),
    node: new Map(),
  };
  /** In order of their versions; complete for versions above `#floor`. */
  #changes: TableChange[] = [];
  #floor: number;

  constructor(networkId: string, version: number) {
    this.networkId = networkId;
    this.#version = version;
    this.#floor = version;
  }

  get version(): number {
    return this.#version;
  }

  /** Whether the allocator has made the network usable. */
  get ready(): boolean {
    return this.#network !== undefined;
  }

  /** @returns whether anything changed. */
  setNetwork(network: EndpointNetwork | undefined, version: number): boolean {
    if (equalData(this.#network, network)) return false;
    this.#network = network;
    this.#note({ version, kind: "network", id: "" });
    return true;
  }

  /** Sets or (undefined) removes one entry. @returns whether anything changed. */
  set<K extends EntryKind>(
    kind: K,
    id: string,
    entry: EntryByKind[K] | undefined,
    version: number,
  ): boolean {
    const entries: Map<string, EntryByKind[K]> = this.#entries[kind];
    if (equalData(entries.get(id), entry)) return false;
    if (entry === undefined) entries.delete(id);
    else entries.set(id, entry);
    this.#note({ version, kind, id });
    return true;
  }

  /** The whole table as data. */
  table(): EndpointTable {
    return {
      networkId: this.networkId,
      version: this.#version,
      network: this.#network,
      services: inOrder(this.#entries.service),
      endpoints: inOrder(this.#entries.endpoint),
      nodes: inOrder(this.#entries.node),
    };
  }

  /**
   * What a node that has version `from` must be told: undefined when nothing, the whole table when it is too far
   * behind or has a version we do not know. In one part: see `splitUpdate`.
   */
  updateSince(from: number): EndpointUpdate | undefined {
    if (from === this.#version) return undefined;
    const update = emptyUpdate(this.networkId, this.#version);
    if (from < this.#floor || from > this.#version) {
      const { network, services, endpoints, nodes } = this.table();
      const puts = { putServices: services, putEndpoints: endpoints, putNodes: nodes };
      return { ...update, network, ...puts };
    }
    update.fromVersion = from;
    for (const { kind, id } of this.#changesSince(from)) this.#describe(update, kind, id);
    return update;
  }

  /** Each entry that changed, once. */
  #changesSince(from: number): Iterable<TableChange> {
    const changed = new Map<string, TableChange>();
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i];
      if (change === undefined || change.version <= from) break;
      changed.set(`${change.kind} ${change.id}`, change);
    }
    return changed.values();
  }

  #describe(update: EndpointUpdate, kind: TableChange["kind"], id: string): void {
    if (kind === "network") {
      update.network = this.#network;
    } else if (kind === "service") {
      put(this.#entries.service, id, update.putServices, update.removeServiceIds);
    } else if (kind === "endpoint") {
      put(this.#entries.endpoint, id, update.putEndpoints, update.removeTaskIds);
    } else {
      put(this.#entries.node, id, update.putNodes, update.removeNodeIds);
    }
  }

  #note(change: TableChange): void {
    this.#version = change.version;
    this.#changes.push(change);
    if (this.#changes.length <= 2 * TABLE_CHANGES_MAX) return;
    const dropped = this.#changes.length - TABLE_CHANGES_MAX;
    this.#floor = this.#changes[dropped - 1]?.version ?? this.#floor;
    this.#changes = this.#changes.slice(dropped);
  }
}

/** An update that says nothing, in one part. */
export function emptyUpdate(networkId: string, version: number): EndpointUpdate {
  return {
    networkId,
    version,
    fromVersion: 0,
    last: true,
    removed: false,
    network: undefined,
    putServices: [],
    removeServiceIds: [],
    putEndpoints: [],
    removeTaskIds: [],
    putNodes: [],
    removeNodeIds: [],
  };
}

function put<T>(entries: ReadonlyMap<string, T>, id: string, puts: T[], removals: string[]): void {
  const entry = entries.get(id);
  if (entry === undefined) removals.push(id);
  else puts.push(entry);
}

function inOrder<T>(entries: ReadonlyMap<string, T>): T[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
