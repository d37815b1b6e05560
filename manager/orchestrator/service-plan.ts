import { TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { replicasOf, type StoredTask } from "../store/objects.ts";
import { isHeld } from "../store/task-life.ts";
import type { SlotKey } from "../store/task-table.ts";
import { createTask, type ServiceContext, setDesired } from "./context.ts";
import { planGlobal } from "./global.ts";
import { freeSlots, surplusSlots } from "./replicated.ts";
import { readSlot, type Slot, type SlotTargets } from "./slot.ts";
import { planSlot } from "./slot-plan.ts";
import { planUpdate } from "./updater.ts";

/** Slots one plan of a service changes at most: its changes make one transaction of some hundred kilobytes. */
export const SLOTS_PER_PLAN_MAX = 4_000;

/** Changes after which one plan of a service begins no other slot: beyond the slots' bound where they are many each. */
export const CHANGES_PER_PLAN_MAX = 6_000;

/** What a service, or some slots of it, need now. */
export interface ServicePlan {
  /** To be made whole or not at all. */
  readonly changes: readonly Change[];
  /** When the service needs another look although nothing changed. */
  readonly wakeAtMs: number | undefined;
  /** When single slots do. */
  readonly wakeSlots: ReadonlyMap<SlotKey, number>;
}

/**
 * Plans all of a service: gives up slots it has too many, keeps the others filled, goes on with its update, fills the
 * slots it lacks. Bounded by SLOTS_PER_PLAN_MAX: where more is to do, planning again after the changes does more.
 */
export function planService(context: ServiceContext): ServicePlan {
  const { view, service } = context;
  const slots = readSlots(context, view.tasks.slotsOf(service.id).keys());
  const { remove, add } = planTargets(context, slots);

  const changes: Change[] = [];
  const removed = new Set<SlotKey>();
  for (const slot of remove.slice(0, SLOTS_PER_PLAN_MAX)) {
    // A slot may have as many ended tasks as the history keeps.
    if (changes.length >= CHANGES_PER_PLAN_MAX) break;
    removed.add(slot.key);
    changes.push(...removeTasks(slot.tasks));
  }
  const kept = slots.filter((slot) => !removed.has(slot.key));
  const upkeep = planSlots(context, kept, SLOTS_PER_PLAN_MAX - removed.size);
  const touchedCount = removed.size + upkeep.touched.size;
  const update = planUpdate(context, {
    slots: kept,
    touched: upkeep.touched,
    ended: upkeep.ended,
    slotsMax: SLOTS_PER_PLAN_MAX - touchedCount,
  });
  const room = Math.max(0, SLOTS_PER_PLAN_MAX - touchedCount - update.changes.length);
  const additions = add.slice(0, room).map((slot) => fillSlot(context, slot));
  return {
    changes: [...changes, ...upkeep.changes, ...update.changes, ...additions],
    wakeAtMs: update.wakeAtMs,
    wakeSlots: upkeep.wakeSlots,
  };
}

/** Plans only the slots named, SLOTS_PER_PLAN_MAX at most, where nothing else of the service can have changed. */
export function planSomeSlots(context: ServiceContext, keys: Iterable<SlotKey>): ServicePlan {
  const slots = readSlots(context, keys);
  const { changes, wakeSlots } = planSlots(context, slots, SLOTS_PER_PLAN_MAX);
  return { changes, wakeAtMs: undefined, wakeSlots };
}

/** Ends tasks whose service is gone; at most SLOTS_PER_PLAN_MAX. */
export function removeTasks(tasks: Iterable<StoredTask>): Change[] {
  const changes: Change[] = [];
  for (const task of tasks) {
    if (task.desiredState >= TaskState.REMOVE) continue;
    if (changes.length >= SLOTS_PER_PLAN_MAX) break;
    changes.push(setDesired(task, TaskState.REMOVE));
  }
  return changes;
}

function readSlots({ view, service }: ServiceContext, keys: Iterable<SlotKey>): Slot[] {
  const slots: Slot[] = [];
  for (const key of keys) {
    const slot = readSlot(key, view.tasks.ofSlot(service.id, key), service.revision);
    if (slot !== undefined) slots.push(slot);
  }
  return slots;
}

function planTargets(context: ServiceContext, slots: readonly Slot[]): SlotTargets {
  const replicas = replicasOf(context.service);
  if (replicas === undefined) return planGlobal(context, slots);
  // Places of another mode are left over from a spec before.
  const own = slots.filter((slot) => typeof slot.key === "number");
  const foreign = slots.filter((slot) => typeof slot.key !== "number");
  const missing = Math.min(Math.max(0, replicas - own.length), SLOTS_PER_PLAN_MAX);
  return {
    remove: [...foreign, ...surplusSlots(own, replicas)],
    add: freeSlots(new Set(own.map((slot) => slot.key)), missing),
  };
}

interface Upkeep extends Pick<ServicePlan, "changes" | "wakeSlots"> {
  readonly touched: ReadonlySet<SlotKey>;
  readonly ended: readonly StoredTask[];
}

function planSlots(context: ServiceContext, slots: readonly Slot[], slotsMax: number): Upkeep {
  const changes: Change[] = [];
  const ended: StoredTask[] = [];
  const touched = new Set<SlotKey>();
  const wakeSlots = new Map<SlotKey, number>();
  for (const slot of slots) {
    if (touched.size >= slotsMax || changes.length >= CHANGES_PER_PLAN_MAX) break;
    const plan = planSlot(context, slot);
    if (plan.wakeAtMs !== undefined) wakeSlots.set(slot.key, plan.wakeAtMs);
    if (plan.changes.length === 0) continue;
    touched.add(slot.key);
    changes.push(...plan.changes);
    if (plan.endedFirst !== undefined) ended.push(plan.endedFirst);
  }
  return { changes, wakeSlots, touched, ended };
}

/** A first task for a slot; where one on its way out still runs, it waits for it. */
function fillSlot(context: ServiceContext, slot: SlotKey): Change {
  const { view, service } = context;
  const held = view.tasks.ofSlot(service.id, slot).some(isHeld);
  const desiredState = held ? TaskState.READY : TaskState.RUNNING;
  return createTask(context, { slot, revision: service.revision, desiredState });
}
