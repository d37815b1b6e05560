import { newId, type TaskId } from "../../core/ids.ts";
import type { Random } from "../../core/random.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { Plan, Planner } from "../reconcile/planner.ts";
import { WakeTimes } from "../reconcile/wake-times.ts";
import type { StoreEvent } from "../store/apply.ts";
import { equalData } from "../store/equal.ts";
import {
  replicasOf,
  type StoredNode,
  type StoredService,
  type StoredTask,
} from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded, isWanted } from "../store/task-life.ts";
import { type SlotKey, slotOf } from "../store/task-table.ts";
import type { ServiceContext } from "./context.ts";
import {
  planService,
  planSomeSlots,
  removeTasks,
  type ServicePlan,
  SLOTS_PER_PLAN_MAX,
} from "./service-plan.ts";
import { isUnderWay } from "./updater.ts";

/** Changes one plan holds at most, roughly: what is over it waits for the next. */
export const PLAN_CHANGES_MAX = 5_000;

/** Where to look: at a service, or at one slot of it. */
interface Place {
  readonly serviceId: string;
  readonly slot?: SlotKey;
}

/** Keeps each service at the tasks its spec asks for. Remembers only which services and slots need a look, and when. */
export class Orchestrator implements Planner {
  readonly name = "orchestrator";
  readonly #random: Random;
  readonly #services = new Set<string>();
  readonly #slots = new Map<string, Set<SlotKey>>();
  readonly #wakeTimes = new WakeTimes<Place>();

  constructor(random: Random) {
    this.#random = random;
  }

  reset(view: View): void {
    this.#wakeTimes.clear();
    this.#slots.clear();
    for (const service of view.services.values()) this.#services.add(service.id);
    for (const serviceId of view.tasks.serviceIds()) this.#services.add(serviceId);
  }

  observe(view: View, event: StoreEvent): void {
    switch (event.kind) {
      case "service":
        if (specMoved(event.before, event.after)) {
          this.#services.add((event.after ?? event.before)?.id ?? "");
        }
        break;
      case "task":
        this.#observeTask(view, event.before, event.after);
        break;
      case "node":
        this.#observeNode(view, event.before, event.after);
        break;
      case "revision":
      case "network":
      case "cluster":
      case "config":
      case "secret":
        break;
    }
  }

  plan(view: View, nowMs: number): Plan {
    for (const place of this.#wakeTimes.takeDue(nowMs)) this.#look(place);
    const groups: (readonly Change[])[] = [];
    let count = 0;
    const take = ({ changes }: ServicePlan): void => {
      if (changes.length > 0) groups.push(changes);
      count += changes.length;
    };
    // A copy: a service that needs another plan is noted again, for when this one has been carried out.
    for (const serviceId of [...this.#services]) {
      if (count >= PLAN_CHANGES_MAX) break;
      this.#services.delete(serviceId);
      this.#slots.delete(serviceId);
      take(this.#planService(view, serviceId, nowMs));
    }
    for (const [serviceId, keys] of this.#slots) {
      if (count >= PLAN_CHANGES_MAX) break;
      const service = view.services.get(serviceId);
      const some = [...keys].slice(0, SLOTS_PER_PLAN_MAX);
      for (const key of some) keys.delete(key);
      if (keys.size === 0) this.#slots.delete(serviceId);
      if (service === undefined) continue;
      take(this.#note(serviceId, planSomeSlots(this.#context(view, service, nowMs), some)));
    }
    return { groups, wakeAtMs: this.#wakeTimes.next() };
  }

  #planService(view: View, serviceId: string, nowMs: number): ServicePlan {
    const service = view.services.get(serviceId);
    if (service !== undefined) {
      const plan = planService(this.#context(view, service, nowMs));
      // What the bound left over.
      if (plan.changes.length >= SLOTS_PER_PLAN_MAX) this.#services.add(serviceId);
      return this.#note(serviceId, plan);
    }
    const changes = removeTasks(view.tasks.ofService(serviceId));
    if (changes.length > 0) this.#services.add(serviceId);
    return { changes, wakeAtMs: undefined, wakeSlots: new Map() };
  }

  #context(view: View, service: StoredService, nowMs: number): ServiceContext {
    return { view, service, nowMs, newTaskId: () => newId<TaskId>(this.#random) };
  }

  #note(serviceId: string, plan: ServicePlan): ServicePlan {
    if (plan.wakeAtMs !== undefined) {
      this.#wakeTimes.set(serviceId, { serviceId }, plan.wakeAtMs);
    }
    for (const [slot, atMs] of plan.wakeSlots) {
      this.#wakeTimes.set(`${serviceId}/${slot}`, { serviceId, slot }, atMs);
    }
    return plan;
  }

  #look({ serviceId, slot }: Place): void {
    if (slot === undefined) {
      this.#services.add(serviceId);
      return;
    }
    const slots = this.#slots.get(serviceId);
    if (slots === undefined) this.#slots.set(serviceId, new Set([slot]));
    else slots.add(slot);
  }

  #observeTask(view: View, before: StoredTask | undefined, after: StoredTask | undefined): void {
    const task = after ?? before;
    if (task === undefined) return;
    const { serviceId } = task;
    const service = view.services.get(serviceId);
    const freed = after === undefined && before !== undefined && isWanted(before);
    if (freed || (service !== undefined && isUnderWay(service.updateStatus))) {
      this.#services.add(serviceId);
    } else if (service !== undefined && slotMoved(view, before, after)) {
      this.#look({ serviceId, slot: slotOf(task) });
    }
  }

  #observeNode(view: View, before: StoredNode | undefined, after: StoredNode | undefined): void {
    if (before !== undefined && after !== undefined && !placementMoved(before, after)) return;
    const nodeId = (after ?? before)?.id ?? "";
    for (const task of view.tasks.ofNode(nodeId)) {
      this.#look({ serviceId: task.serviceId, slot: slotOf(task) });
    }
    for (const service of view.services.values()) {
      if (replicasOf(service) === undefined) this.#services.add(service.id);
    }
  }
}

/** Whether a task changed in what its slot's plan depends on. On its way to RUNNING, alone in its slot, it does not. */
function slotMoved(
  view: View,
  before: StoredTask | undefined,
  after: StoredTask | undefined,
): boolean {
  if (after === undefined || isEnded(after) || after.desiredState === TaskState.READY) return true;
  if (before?.desiredState !== after.desiredState || before.nodeId !== after.nodeId) return true;
  return view.tasks.ofSlot(after.serviceId, slotOf(after)).length > 1;
}

/** Whether a service changed in what its tasks depend on; addresses given to it do not count. */
function specMoved(before: StoredService | undefined, after: StoredService | undefined): boolean {
  return (
    before?.spec !== after?.spec ||
    before?.revision !== after?.revision ||
    before?.updateStatus !== after?.updateStatus
  );
}

/** Whether a node changed in what decides where tasks may be. */
function placementMoved(before: StoredNode, after: StoredNode): boolean {
  return (
    before.spec !== after.spec ||
    before.status.state !== after.status.state ||
    before.role !== after.role ||
    !equalData(before.description, after.description)
  );
}
