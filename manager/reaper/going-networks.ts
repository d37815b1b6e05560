import type { StoreEvent } from "../store/apply.ts";
import type { StoredNetwork, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded } from "../store/task-life.ts";

/** Networks on their way out, and which tasks still have an address on them. */
export class GoingNetworks {
  readonly #holders = new Map<string, Set<string>>();

  reset(view: View): void {
    this.#holders.clear();
    for (const network of view.networks.values()) this.#put(view, network);
  }

  observe(view: View, event: StoreEvent): void {
    if (event.kind === "network") {
      if (event.after !== undefined) this.#put(view, event.after);
      else if (event.before !== undefined) this.#holders.delete(event.before.id);
    } else if (event.kind === "task") {
      for (const [networkId, holders] of this.#holders) {
        const task = event.after ?? event.before;
        if (task === undefined) continue;
        if (event.after !== undefined && holdsAddress(event.after, networkId)) holders.add(task.id);
        else holders.delete(task.id);
      }
    }
  }

  /** The networks nobody has an address on any more. */
  free(): string[] {
    return [...this.#holders].filter(([, holders]) => holders.size === 0).map(([id]) => id);
  }

  #put(view: View, network: StoredNetwork): void {
    if (network.pendingDelete !== true || this.#holders.has(network.id)) return;
    const holders = new Set<string>();
    for (const task of view.tasks.values()) {
      if (holdsAddress(task, network.id)) holders.add(task.id);
    }
    this.#holders.set(network.id, holders);
  }
}

function holdsAddress(task: StoredTask, networkId: string): boolean {
  return !isEnded(task) && task.networks.some((attachment) => attachment.networkId === networkId);
}
