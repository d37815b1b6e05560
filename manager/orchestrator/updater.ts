import { waitEndMs } from "../../core/wall-wait.ts";
import {
  TaskState,
  type UpdateConfig,
  UpdateConfig_FailureAction,
  UpdateConfig_Order,
  type UpdateStatus,
  UpdateStatus_State,
} from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { earlier } from "../reconcile/planner.ts";
import { updateChange } from "../store/changes.ts";
import { equalData } from "../store/equal.ts";
import type { StoredService, StoredTask } from "../store/objects.ts";
import { updateServiceChanges } from "../store/service-changes.ts";
import { isEnded, isHeld } from "../store/task-life.ts";
import type { SlotKey } from "../store/task-table.ts";
import { createTask, type ServiceContext, setDesired } from "./context.ts";
import { isOutdated, isRunning, isTaskRunning, type Slot } from "./slot.ts";

/** How long a new task is watched when the spec does not say. Source: swarmkit, api/defaults. */
export const MONITOR_DEFAULT_MS = 5_000;

/** What the updater found and wants. */
export interface UpdatePlan {
  readonly changes: readonly Change[];
  readonly wakeAtMs: number | undefined;
}

/** What there is to plan an update from, besides the service. */
export interface UpdateInput {
  readonly slots: readonly Slot[];
  /** Slots that this pass has changed already: they are counted, but not begun with. */
  readonly touched: ReadonlySet<SlotKey>;
  /** First tasks of their revision that ended, as the slot plans of this pass found. */
  readonly ended: readonly StoredTask[];
  /** Slots to begin with at most. */
  readonly slotsMax: number;
}

/**
 * Plans the next step of a rolling update or rollback. All it must remember is in the store: the service's
 * UpdateStatus, and for each slot which revision its task has and since when it runs. So any leader goes on where the
 * last one stopped, and a spec that changes midway simply changes what is outdated.
 *
 * At most `parallelism` slots are busy: their new task has yet to run, or has run for less than the delay.
 */
export function planUpdate(context: ServiceContext, input: UpdateInput): UpdatePlan {
  const { service, nowMs } = context;
  const outdated = input.slots.filter((slot) => isOutdated(slot, service.revision));
  const before = service.updateStatus;
  const status = begin(before, outdated.length, nowMs);
  if (status === undefined || !isUnderWay(status)) return { changes: [], wakeAtMs: undefined };

  const config = configOf(service, status);
  const failed = countFailed(service, input.ended, config);
  const counted = { ...status, failedSlots: (status.failedSlots ?? 0) + failed.length };
  const verdict = failed[0] === undefined ? undefined : judge(counted, config, failed[0]);
  if (verdict === "rollback") return rollBack(context, failed[0]);
  if (verdict !== undefined) return { changes: setStatus(service, verdict), wakeAtMs: undefined };

  const busy = input.slots.map((slot) => busyUntil(context, slot, config));
  const wakeAtMs = nextAfter(busy, nowMs);
  const busyCount = busy.filter((untilMs) => untilMs > nowMs).length;
  const parallelism = config.parallelism === 0 ? Number.POSITIVE_INFINITY : config.parallelism;
  const room = Math.max(0, Math.min(parallelism - busyCount, input.slotsMax));
  const free = outdated.filter((slot) => !input.touched.has(slot.key));
  const chosen = free.sort(downFirst).slice(0, room);
  const changes = chosen.flatMap((slot) => replaceSlot(context, slot, config));
  if (outdated.length > 0 || busyCount > 0) {
    return { changes: [...changes, ...setStatus(service, counted)], wakeAtMs };
  }
  return finish(context, { status: counted, slots: input.slots, config });
}

/** The status of an update that is to go on or to begin; what it should replace is counted when it begins. */
function begin(
  status: UpdateStatus | undefined,
  outdated: number,
  nowMs: number,
): UpdateStatus | undefined {
  const over =
    status === undefined ||
    status.state === UpdateStatus_State.UNSPECIFIED ||
    status.state === UpdateStatus_State.COMPLETED ||
    status.state === UpdateStatus_State.ROLLBACK_COMPLETED;
  if (!over) return status.totalSlots === undefined ? { ...status, totalSlots: outdated } : status;
  if (outdated === 0) return status;
  return {
    state: UpdateStatus_State.UPDATING,
    startedAtMs: nowMs,
    completedAtMs: 0,
    message: "update in progress",
    totalSlots: outdated,
    failedSlots: 0,
  };
}

/** Whether the updater has the service's slots in hand. */
export function isUnderWay(status: UpdateStatus | undefined): boolean {
  return (
    status?.state === UpdateStatus_State.UPDATING ||
    status?.state === UpdateStatus_State.ROLLBACK_STARTED
  );
}

function isRollback(status: UpdateStatus): boolean {
  return status.state === UpdateStatus_State.ROLLBACK_STARTED;
}

/** Docker's defaults: one at a time, pause on failure. */
function configOf(service: StoredService, status: UpdateStatus): UpdateConfig {
  const config = isRollback(status) ? service.spec.rollback : service.spec.update;
  return config ?? { parallelism: 1, delayNs: 0, failureAction: 0, maxFailureRatio: 0, order: 0 };
}

function monitorMs(config: UpdateConfig): number {
  return config.monitorNs === undefined ? MONITOR_DEFAULT_MS : config.monitorNs / 1e6;
}

/** New tasks that ended before they ran, or while they were watched. */
function countFailed(
  service: StoredService,
  ended: readonly StoredTask[],
  config: UpdateConfig,
): StoredTask[] {
  return ended.filter(({ revision, status }) => {
    if (revision !== service.revision) return false;
    const { runningAtMs, appliedAtMs = 0 } = status;
    return runningAtMs === undefined || appliedAtMs - runningAtMs <= monitorMs(config);
  });
}

/** What the failures mean: undefined when the update may go on. */
function judge(
  status: UpdateStatus,
  config: UpdateConfig,
  task: StoredTask,
): UpdateStatus | "rollback" | undefined {
  const ratio = (status.failedSlots ?? 0) / Math.max(1, status.totalSlots ?? 1);
  if (ratio <= config.maxFailureRatio) return undefined;
  if (config.failureAction === UpdateConfig_FailureAction.CONTINUE) return undefined;
  const why = `due to failure or early termination of task ${task.id}`;
  if (isRollback(status)) {
    const state = UpdateStatus_State.ROLLBACK_PAUSED;
    return { ...status, state, message: `rollback paused ${why}` };
  }
  if (config.failureAction === UpdateConfig_FailureAction.ROLLBACK) return "rollback";
  return { ...status, state: UpdateStatus_State.PAUSED, message: `update paused ${why}` };
}

/** Goes back to the previous spec by itself; pauses where there is none. */
function rollBack(context: ServiceContext, task: StoredTask | undefined): UpdatePlan {
  const { view, service, nowMs } = context;
  const why = `due to failure or early termination of task ${task?.id}`;
  const status = { startedAtMs: nowMs, completedAtMs: 0 };
  if (service.previousSpec === undefined) {
    const message = `update paused ${why}: there is no previous spec to roll back to`;
    const paused = { ...status, state: UpdateStatus_State.PAUSED, message };
    return { changes: setStatus(service, paused), wakeAtMs: undefined };
  }
  const state = UpdateStatus_State.ROLLBACK_STARTED;
  const changes = updateServiceChanges(view, service, service.previousSpec, {
    updateStatus: { ...status, state, message: `update rolled back ${why}` },
    previousSpec: null,
    ifVersion: service.meta.version,
  });
  return { changes, wakeAtMs: undefined };
}

/** Until when a slot counts as being updated; never for one whose new task failed and is restarted by the policy. */
function busyUntil(
  { service, nowMs }: ServiceContext,
  { current, wanted }: Slot,
  config: UpdateConfig,
): number {
  if (current.revision !== service.revision || current.restarts !== undefined) return 0;
  if (wanted.length === 0 || isEnded(current)) return 0;
  const { runningAtMs } = current.status;
  if (runningAtMs === undefined) return Number.POSITIVE_INFINITY;
  const untilMs = runningAtMs + config.delayNs / 1e6;
  return waitEndMs({ sinceMs: runningAtMs, untilMs }, nowMs);
}

function nextAfter(times: readonly number[], nowMs: number): number | undefined {
  let next: number | undefined;
  for (const time of times) {
    if (time > nowMs && Number.isFinite(time)) next = earlier(next, time);
  }
  return next;
}

/** Slots that serve nobody lose nothing by being first; then in order. */
function downFirst(a: Slot, b: Slot): number {
  const order = Number(isRunning(a)) - Number(isRunning(b));
  if (order !== 0) return order;
  return typeof a.key === "number" && typeof b.key === "number"
    ? a.key - b.key
    : String(a.key) < String(b.key)
      ? -1
      : 1;
}

/** Start-first keeps the one task that runs until the new one does; whatever else there is goes at once. */
function replaceSlot(context: ServiceContext, slot: Slot, config: UpdateConfig): Change[] {
  const startFirst = config.order === UpdateConfig_Order.START_FIRST;
  const kept = startFirst ? slot.wanted.findLast(isTaskRunning) : undefined;
  const stops = slot.wanted
    .filter((task) => task !== kept)
    .map((task) => setDesired(task, TaskState.SHUTDOWN));
  const waits = kept === undefined && slot.tasks.some(isHeld);
  const desiredState = waits ? TaskState.READY : TaskState.RUNNING;
  const { revision } = context.service;
  return [...stops, createTask(context, { slot: slot.key, revision, desiredState })];
}

interface Finish {
  readonly status: UpdateStatus;
  readonly slots: readonly Slot[];
  readonly config: UpdateConfig;
}

/** Ends an update once the youngest task has been watched long enough. */
function finish({ service, nowMs }: ServiceContext, { status, slots, config }: Finish): UpdatePlan {
  let watchedUntilMs = nowMs;
  for (const { current } of slots) {
    const { runningAtMs } = current.status;
    if (current.restarts !== undefined || runningAtMs === undefined || isEnded(current)) continue;
    if (runningAtMs < status.startedAtMs) continue;
    const untilMs = runningAtMs + monitorMs(config);
    watchedUntilMs = Math.max(watchedUntilMs, waitEndMs({ sinceMs: runningAtMs, untilMs }, nowMs));
  }
  if (watchedUntilMs > nowMs) {
    return { changes: setStatus(service, status), wakeAtMs: watchedUntilMs };
  }
  const rollback = isRollback(status);
  const done: UpdateStatus = {
    ...status,
    state: rollback ? UpdateStatus_State.ROLLBACK_COMPLETED : UpdateStatus_State.COMPLETED,
    completedAtMs: nowMs,
    message: rollback ? "rollback completed" : "update completed",
  };
  return { changes: setStatus(service, done), wakeAtMs: undefined };
}

function setStatus(service: StoredService, updateStatus: UpdateStatus): Change[] {
  if (equalData(service.updateStatus, updateStatus)) return [];
  // Not over a spec this plan has not seen: its user's wish to go on or to start anew would be lost.
  const options = { skipIfAbsent: true, ifVersion: service.meta.version };
  return [updateChange("service", service.id, { updateStatus }, options)];
}
