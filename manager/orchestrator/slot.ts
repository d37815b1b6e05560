import { TaskState } from "../../proto/gen/objects.ts";
import type { StoredTask } from "../store/objects.ts";
import { isWanted } from "../store/task-life.ts";
import type { SlotKey } from "../store/task-table.ts";

/** A place of a service and what fills it. */
export interface Slot {
  readonly key: SlotKey;
  /** Every task it has had and that is still stored. */
  readonly tasks: readonly StoredTask[];
  /** Tasks that are to run, oldest first; more than one while the next is started before the last is stopped. */
  readonly wanted: readonly StoredTask[];
  /**
   * The task that speaks for the slot: the youngest wanted of the service's revision, else the youngest wanted, else
   * the youngest of all, which has ended and was not to be restarted.
   */
  readonly current: StoredTask;
}

/** Which slots a service should have. */
export interface SlotTargets {
  readonly remove: readonly Slot[];
  /** Slots to fill: numbers, or node ids of a global service. */
  readonly add: readonly SlotKey[];
}

/**
 * Reads a slot from its tasks.
 *
 * @returns undefined when nothing fills it: all its tasks are on their way out.
 */
export function readSlot(
  key: SlotKey,
  tasks: readonly StoredTask[],
  revision: number,
): Slot | undefined {
  const byAge = tasks
    .filter((task) => task.desiredState < TaskState.REMOVE)
    .sort((a, b) => a.meta.version - b.meta.version);
  const wanted = byAge.filter(isWanted);
  const current =
    wanted.findLast((task) => task.revision === revision) ?? wanted.at(-1) ?? byAge.at(-1);
  return current === undefined ? undefined : { key, tasks, wanted, current };
}

/** Whether the slot has another spec than its service. */
export function isOutdated(slot: Slot, revision: number): boolean {
  return slot.current.revision !== revision;
}

/** Whether a task of it runs as it should. */
export function isRunning(slot: Slot): boolean {
  return slot.wanted.some(isTaskRunning);
}

/** Whether a worker has it running. */
export function isTaskRunning(task: StoredTask): boolean {
  return task.status.state === TaskState.RUNNING;
}
