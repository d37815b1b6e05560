import { TaskState } from "../../proto/gen/objects.ts";
import type { StoredNode, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isHeld, isWanted } from "../store/task-life.ts";
import { type Demand, demandOf, NodeUsage } from "./node-usage.ts";

/**
 * All nodes with what their tasks take of them, in order of how many tasks they have. Kept task by task; adding or
 * removing the same task twice changes nothing.
 */
export class NodeBook {
  readonly #nodes = new Map<string, NodeUsage>();
  readonly #byTotal: Set<NodeUsage>[] = [];
  /** No node has fewer tasks than this. */
  #fewest = 0;

  /** Everything of one state of the store. */
  static of(view: View): NodeBook {
    const book = new NodeBook();
    for (const node of view.nodes.values()) book.putNode(view, node);
    return book;
  }

  get(nodeId: string): NodeUsage | undefined {
    return this.#nodes.get(nodeId);
  }

  values(): Iterable<NodeUsage> {
    return this.#nodes.values();
  }

  /** The nodes with the fewest tasks first. */
  *byTotal(): Iterable<NodeUsage> {
    while (this.#byTotal[this.#fewest]?.size === 0) this.#fewest++;
    for (let total = this.#fewest; total < this.#byTotal.length; total++) {
      yield* this.#bucket(total);
    }
  }

  /** Adds a node with the tasks it has, or takes over what changed of it. */
  putNode(view: View, node: StoredNode): void {
    const known = this.#nodes.get(node.id);
    if (known !== undefined) {
      known.node = node;
      return;
    }
    const usage = new NodeUsage(node);
    this.#nodes.set(node.id, usage);
    this.#enter(usage);
    for (const task of view.tasks.ofNode(node.id)) this.putTask(view, task);
  }

  removeNode(nodeId: string): void {
    const usage = this.#nodes.get(nodeId);
    if (usage === undefined) return;
    this.#bucket(usage.total).delete(usage);
    this.#nodes.delete(nodeId);
  }

  /** Takes over the state of a task: what it takes of its node and, once, that it failed there. */
  putTask(view: View, task: StoredTask): void {
    const { status, nodeId, serviceId, revision: number } = task;
    const revision = view.revisions.find(serviceId, number);
    if (isHeld(task) && revision !== undefined) {
      this.assign(task.id, nodeId, demandOf(revision), isWanted(task));
      return;
    }
    this.removeTask(task);
    const failed = status.state === TaskState.FAILED || status.state === TaskState.REJECTED;
    if (failed) this.#nodes.get(nodeId)?.addFailure(serviceId, number, status.appliedAtMs ?? 0);
  }

  removeTask({ id, nodeId }: Pick<StoredTask, "id" | "nodeId">): void {
    this.#change(nodeId, (usage) => usage.remove(id));
  }

  /** Puts a task on a node, in the store or about to be. */
  assign(taskId: string, nodeId: string, demand: Demand, wanted = true): void {
    this.#change(nodeId, (usage) => usage.add(taskId, demand, wanted));
  }

  #change(nodeId: string, change: (usage: NodeUsage) => void): void {
    const usage = this.#nodes.get(nodeId);
    if (usage === undefined) return;
    const before = usage.total;
    change(usage);
    if (usage.total === before) return;
    this.#bucket(before).delete(usage);
    this.#enter(usage);
  }

  #enter(usage: NodeUsage): void {
    this.#bucket(usage.total).add(usage);
    this.#fewest = Math.min(this.#fewest, usage.total);
  }

  #bucket(total: number): Set<NodeUsage> {
    for (let next = this.#byTotal.length; next <= total; next++) this.#byTotal.push(new Set());
    return this.#byTotal[total] ?? new Set();
  }
}
