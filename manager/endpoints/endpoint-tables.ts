import type { EndpointTable, EndpointUpdate } from "../../proto/gen/endpoints.ts";
import type { StoreEvent } from "../store/apply.ts";
import type { StoredNetwork, StoredNode, StoredService, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { networkEntry, nodeEntries, serviceEntries, taskEntries } from "./entries.ts";
import { type EntryByKind, type EntryKind, NetworkTable } from "./network-table.ts";

/**
 * The endpoint tables of all networks, kept up to date change by change: an event costs what it touches, not the size
 * of a table. After any events the tables are those a fresh start from the same view would give.
 */
export class EndpointTables {
  readonly #tables = new Map<string, NetworkTable>();
  #view: View;
  #version: number;
  #changed = new Set<string>();

  /** Computes everything from one state of the store. */
  constructor(view: View) {
    this.#view = view;
    this.#version = view.index;
    for (const network of view.networks.values()) this.#onNetwork(network, network.id);
    for (const node of view.nodes.values()) this.#onNode(node, undefined);
    for (const service of view.services.values()) this.#onService(service, undefined);
    for (const task of view.tasks.values()) this.#onTask(task, undefined);
  }

  /**
   * Takes in what happened up to the state `view`.
   *
   * @returns the networks whose tables changed or went.
   */
  update(view: View, events: readonly StoreEvent[]): ReadonlySet<string> {
    this.#view = view;
    this.#version = view.index;
    this.#changed = new Set();
    for (const event of events) this.#onEvent(event);
    return this.#changed;
  }

  /** The networks that have a table, the ingress network too. */
  networkIds(): string[] {
    return [...this.#tables.values()]
      .filter((table) => table.ready)
      .map((table) => table.networkId);
  }

  /** The table of a network; undefined while it is not allocated or when there is none. */
  table(networkId: string): EndpointTable | undefined {
    const table = this.#tables.get(networkId);
    return table?.ready === true ? table.table() : undefined;
  }

  /** The version of a network's table, 0 when it has none. */
  version(networkId: string): number {
    const table = this.#tables.get(networkId);
    return table?.ready === true ? table.version : 0;
  }

  /**
   * What a node that has version `from` of the table (0: nothing) must be told, in one part: see `splitUpdate`.
   * Undefined when there is nothing to tell.
   */
  updateSince(networkId: string, from: number): EndpointUpdate | undefined {
    const table = this.#tables.get(networkId);
    return table?.ready === true ? table.updateSince(from) : undefined;
  }

  #onEvent(event: StoreEvent): void {
    switch (event.kind) {
      case "task":
        this.#onTask(event.after, event.before);
        break;
      case "service":
        this.#onService(event.after, event.before);
        break;
      case "node":
        this.#onNode(event.after, event.before);
        break;
      case "network":
        this.#onNetwork(event.after, (event.after ?? event.before)?.id ?? "");
        break;
      case "revision":
      case "cluster":
      case "config":
      case "secret":
        break;
    }
  }

  #onTask(after: StoredTask | undefined, before: StoredTask | undefined): void {
    const id = (after ?? before)?.id ?? "";
    // Of several events of one task in a row only the last counts: earlier states are not the view's.
    const task = this.#view.tasks.get(id);
    const entries = task === undefined ? new Map() : taskEntries(this.#view, task);
    const attachments = [...(before?.networks ?? []), ...(task?.networks ?? [])];
    const left = attachments.map(({ networkId }) => networkId);
    this.#setEverywhere("endpoint", id, entries, left);
  }

  #onService(after: StoredService | undefined, before: StoredService | undefined): void {
    const id = (after ?? before)?.id ?? "";
    const service = this.#view.services.get(id);
    const entries = service === undefined ? new Map() : serviceEntries(this.#view, service);
    const left = before === undefined ? [] : [...serviceEntries(this.#view, before).keys()];
    this.#setEverywhere("service", id, entries, left);
    if (before?.spec.name === after?.spec.name) return;
    for (const task of this.#view.tasks.ofService(id)) this.#onTask(task, undefined);
  }

  #onNode(after: StoredNode | undefined, before: StoredNode | undefined): void {
    const id = (after ?? before)?.id ?? "";
    const node = this.#view.nodes.get(id);
    const left = (before?.attachments ?? []).map(({ networkId }) => networkId);
    this.#setEverywhere("node", id, node === undefined ? new Map() : nodeEntries(node), left);
    const same =
      before?.status.addr === after?.status.addr && before?.status.state === after?.status.state;
    if (same) return;
    for (const task of this.#view.tasks.ofNode(id)) this.#onTask(task, undefined);
  }

  #onNetwork(network: StoredNetwork | undefined, id: string): void {
    if (network === undefined) {
      if (this.#tables.delete(id)) this.#changed.add(id);
      return;
    }
    const isNew = !this.#tables.has(id);
    const table = this.#table(id);
    if (table.setNetwork(networkEntry(network), this.#version)) this.#changed.add(id);
    if (!isNew || !network.spec.ingress) return;
    for (const service of this.#view.services.values()) this.#onService(service, undefined);
  }

  /** Sets the entry in each network it is in, and takes it out of those it may have left. */
  #setEverywhere<K extends EntryKind>(
    kind: K,
    id: string,
    entries: ReadonlyMap<string, EntryByKind[K]>,
    left: readonly string[],
  ): void {
    for (const networkId of left) {
      if (!entries.has(networkId)) this.#set(networkId, kind, id, undefined);
    }
    for (const [networkId, entry] of entries) this.#set(networkId, kind, id, entry);
  }

  #set<K extends EntryKind>(
    networkId: string,
    kind: K,
    id: string,
    entry: EntryByKind[K] | undefined,
  ): void {
    if (this.#view.networks.get(networkId) === undefined) return;
    const changed = this.#table(networkId).set(kind, id, entry, this.#version);
    if (changed) this.#changed.add(networkId);
  }

  #table(networkId: string): NetworkTable {
    let table = this.#tables.get(networkId);
    if (table === undefined) {
      table = new NetworkTable(networkId, this.#version);
      this.#tables.set(networkId, table);
    }
    return table;
  }
}
