import type { StoredTask } from "./objects.ts";
import type { TableReader, WritableTable } from "./table.ts";

/** A place in a service: the slot of a replicated one, the node of a global one. */
export type SlotKey = number | string;

/** Which slot a task fills. */
export function slotOf(task: StoredTask): SlotKey {
  return task.slot > 0 ? task.slot : task.nodeId;
}

/** The tasks, to read: by id, by service and slot, by node. */
export interface TaskReader extends TableReader<StoredTask> {
  /** Services that have tasks, be they removed themselves. */
  serviceIds(): Iterable<string>;
  ofService(serviceId: string): Iterable<StoredTask>;
  /** The service's tasks by slot, each slot's in no order; never an empty slot. */
  slotsOf(serviceId: string): ReadonlyMap<SlotKey, readonly StoredTask[]>;
  ofSlot(serviceId: string, slot: SlotKey): readonly StoredTask[];
  /** Tasks whose node is this one, those of global services not yet assigned included. */
  ofNode(nodeId: string): Iterable<StoredTask>;
  countOfService(serviceId: string): number;
}

const NO_SLOTS: ReadonlyMap<SlotKey, readonly StoredTask[]> = new Map();
const NO_TASKS: readonly StoredTask[] = [];

/** The tasks and their indexes; every operation costs the size of one slot at most. */
export class TaskTable implements TaskReader, WritableTable<StoredTask> {
  readonly #byId = new Map<string, StoredTask>();
  readonly #bySlot = new Map<string, Map<SlotKey, StoredTask[]>>();
  readonly #byNode = new Map<string, Map<string, StoredTask>>();
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): StoredTask | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<StoredTask> {
    return this.#byId.values();
  }

  serviceIds(): Iterable<string> {
    return this.#bySlot.keys();
  }

  *ofService(serviceId: string): Iterable<StoredTask> {
    for (const tasks of this.slotsOf(serviceId).values()) yield* tasks;
  }

  slotsOf(serviceId: string): ReadonlyMap<SlotKey, readonly StoredTask[]> {
    return this.#bySlot.get(serviceId) ?? NO_SLOTS;
  }

  ofSlot(serviceId: string, slot: SlotKey): readonly StoredTask[] {
    return this.#bySlot.get(serviceId)?.get(slot) ?? NO_TASKS;
  }

  ofNode(nodeId: string): Iterable<StoredTask> {
    return this.#byNode.get(nodeId)?.values() ?? NO_TASKS;
  }

  countOfService(serviceId: string): number {
    return this.#counts.get(serviceId) ?? 0;
  }

  /** Adds a task or replaces the one with its id. */
  put(task: StoredTask): void {
    const before = this.#byId.get(task.id);
    if (before !== undefined) this.#unindex(before);
    this.#byId.set(task.id, task);
    this.#index(task);
  }

  delete(id: string): void {
    const before = this.#byId.get(id);
    if (before === undefined) return;
    this.#byId.delete(id);
    this.#unindex(before);
  }

  #index(task: StoredTask): void {
    const slots = getOrAdd(this.#bySlot, task.serviceId, () => new Map<SlotKey, StoredTask[]>());
    getOrAdd(slots, slotOf(task), () => []).push(task);
    this.#counts.set(task.serviceId, this.countOfService(task.serviceId) + 1);
    if (task.nodeId === "") return;
    getOrAdd(this.#byNode, task.nodeId, () => new Map<string, StoredTask>()).set(task.id, task);
  }

  #unindex(task: StoredTask): void {
    const slots = this.#bySlot.get(task.serviceId);
    const slot = slots?.get(slotOf(task)) ?? [];
    const place = slot.findIndex((other) => other.id === task.id);
    if (place >= 0) slot.splice(place, 1);
    if (slot.length === 0) slots?.delete(slotOf(task));
    if (slots?.size === 0) this.#bySlot.delete(task.serviceId);

    const count = this.countOfService(task.serviceId) - 1;
    if (count > 0) this.#counts.set(task.serviceId, count);
    else this.#counts.delete(task.serviceId);

    const ofNode = this.#byNode.get(task.nodeId);
    ofNode?.delete(task.id);
    if (ofNode?.size === 0) this.#byNode.delete(task.nodeId);
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
