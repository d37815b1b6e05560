import { NodeState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { Plan, Planner } from "../reconcile/planner.ts";
import { WakeTimes } from "../reconcile/wake-times.ts";
import type { StoreEvent } from "../store/apply.ts";
import { removeChange } from "../store/changes.ts";
import type { StoredNode, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded, isLost, isWanted } from "../store/task-life.ts";
import { type SlotKey, slotOf } from "../store/task-table.ts";
import { GoingNetworks } from "./going-networks.ts";
import { reapRevisions } from "./reap-revisions.ts";
import { nextOrphanMs, reapSlot, TASK_HISTORY_DEFAULT } from "./reap-slot.ts";

/** Changes one plan holds at most, roughly. */
export const REAPED_PER_PLAN_MAX = 10_000;

interface Place {
  readonly serviceId: string;
  readonly slot: SlotKey;
}

/** Removes what nobody needs any more: ended tasks past the history, old revisions, networks that were given up. */
export class Reaper implements Planner {
  readonly name = "reaper";
  readonly #slots = new Map<string, Place>();
  readonly #services = new Set<string>();
  readonly #networks = new GoingNetworks();
  readonly #wakeTimes = new WakeTimes<Place>();

  reset(view: View): void {
    this.#wakeTimes.clear();
    this.#networks.reset(view);
    for (const task of view.tasks.values()) {
      if (isEnded(task) || !isWanted(task) || isLost(view, task)) this.#look(task);
    }
    for (const revision of view.revisions.values()) this.#services.add(revision.serviceId);
  }

  observe(view: View, event: StoreEvent): void {
    this.#networks.observe(view, event);
    if (event.kind === "task") {
      const task = event.after ?? event.before;
      if (task === undefined) return;
      if (event.after === undefined) this.#services.add(task.serviceId);
      if (isEnded(task) || !isWanted(task)) this.#look(task);
    } else if (event.kind === "service" || event.kind === "revision") {
      const serviceId = idOf(event);
      if (serviceId !== undefined) this.#services.add(serviceId);
    } else if (event.kind === "node") {
      this.#observeNode(view, event.before, event.after);
    }
  }

  plan(view: View, nowMs: number): Plan {
    for (const place of this.#wakeTimes.takeDue(nowMs)) this.#slots.set(keyOf(place), place);
    const history = view.cluster?.spec.taskHistoryLimit ?? TASK_HISTORY_DEFAULT;
    const changes: Change[] = [];
    for (const [key, place] of this.#slots) {
      if (changes.length >= REAPED_PER_PLAN_MAX) break;
      this.#slots.delete(key);
      const tasks = view.tasks.ofSlot(place.serviceId, place.slot);
      changes.push(...reapSlot(view, tasks, { history, nowMs }));
      const wakeAtMs = nextOrphanMs(view, tasks);
      if (wakeAtMs !== undefined && wakeAtMs > nowMs) this.#wakeTimes.set(key, place, wakeAtMs);
    }
    for (const serviceId of this.#services) {
      this.#services.delete(serviceId);
      changes.push(...reapRevisions(view, serviceId));
    }
    for (const networkId of this.#networks.free()) {
      changes.push(removeChange("network", networkId, { skipIfAbsent: true }));
    }
    return { groups: changes.map((change) => [change]), wakeAtMs: this.#wakeTimes.next() };
  }

  #observeNode(view: View, before: StoredNode | undefined, after: StoredNode | undefined): void {
    const gone = after === undefined;
    const down = after?.status.state === NodeState.DOWN;
    if (!gone && !down) return;
    for (const task of view.tasks.ofNode((after ?? before)?.id ?? "")) this.#look(task);
  }

  #look(task: StoredTask): void {
    const place = { serviceId: task.serviceId, slot: slotOf(task) };
    this.#slots.set(keyOf(place), place);
  }
}

function keyOf({ serviceId, slot }: Place): string {
  return `${serviceId}/${slot}`;
}

function idOf(event: StoreEvent): string | undefined {
  if (event.kind === "service") return (event.after ?? event.before)?.id;
  return event.kind === "revision" ? (event.after ?? event.before)?.serviceId : undefined;
}
