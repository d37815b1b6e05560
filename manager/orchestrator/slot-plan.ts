import { NodeAvailability, TaskState, UpdateConfig_Order } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { startTimeMs } from "../../proto/start-time.ts";
import type { StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded, isHeld, isLost, isWanted } from "../store/task-life.ts";
import { slotOf } from "../store/task-table.ts";
import { createTask, type ServiceContext, setDesired } from "./context.ts";
import { planRestart } from "./restart-policy.ts";
import type { Slot } from "./slot.ts";

/** How much longer than its own grace period a task may take to stop before its replacement is started beside it. */
export const OLD_TASK_TIMEOUT_MS = 60_000;
/** Docker's time between the stop signal and the kill. */
export const STOP_GRACE_DEFAULT_MS = 10_000;

/** What one slot needs now. */
export interface SlotPlan {
  readonly changes: readonly Change[];
  /** When it needs another look although nothing changed. */
  readonly wakeAtMs?: number;
  /** The first task of its revision in this slot ended: what a rolling update counts as a failure. */
  readonly endedFirst?: StoredTask;
}

/**
 * Keeps one slot filled with one task of the revision it has. Which revision that is, only the updater changes.
 *
 * - A task that ended is replaced as the restart policy says, or left as the slot's last word. One that could not even be
 *   prepared is not replaced before it was to start: the delay is between attempts.
 * - A task whose node is lost is replaced at once; one whose node is drained is stopped for its replacement.
 * - A replacement is started when its delay is over and the task before it has stopped.
 * - Where two are to run (start-first), the older goes when the younger runs.
 */
export function planSlot(context: ServiceContext, slot: Slot): SlotPlan {
  const { current } = slot;
  if (slot.wanted.length === 0) return { changes: [] };
  const leavers = planLeavers(context, slot);

  if (isEnded(current) && current.status.state !== TaskState.ORPHANED) {
    const startMs = startTimeMs(current, context.nowMs);
    if (context.nowMs < startMs) return { changes: leavers, wakeAtMs: startMs };
    const { startAfterMs, changes } = replaceEnded(context, slot);
    const plan = { changes: [...leavers, ...changes] };
    const wake = startAfterMs === undefined ? {} : { wakeAtMs: startAfterMs };
    return { ...plan, ...wake, ...(current.restarts === undefined ? { endedFirst: current } : {}) };
  }
  if (isLost(context.view, current) || isEnded(current)) {
    return {
      changes: [...leavers, ...replaceNow(context, current, stateAfterLeavers(context, slot))],
    };
  }
  if (isDrained(context.view, current) && slot.wanted.length === 1) {
    return { changes: [...leavers, ...leaveDrained(context, slot)] };
  }
  if (current.desiredState !== TaskState.READY) return { changes: leavers };

  const startAtMs = startTime(context, slot);
  if (startAtMs > context.nowMs) return { changes: leavers, wakeAtMs: startAtMs };
  return { changes: [...leavers, setDesired(current, TaskState.RUNNING)] };
}

/** Stops the tasks beside the current one that are not needed: it runs, or they do not. */
function planLeavers({ view }: ServiceContext, { wanted, current }: Slot): Change[] {
  const settled =
    current.status.state === TaskState.RUNNING &&
    !isLost(view, current) &&
    !isDrained(view, current);
  return wanted
    .filter((task) => task !== current && (settled || isEnded(task) || isLost(view, task)))
    .map((task) => setDesired(task, TaskState.SHUTDOWN));
}

function replaceEnded(
  context: ServiceContext,
  slot: Slot,
): { readonly changes: Change[]; readonly startAfterMs?: number } {
  const { view, nowMs } = context;
  const task = slot.current;
  const stop = setDesired(task, TaskState.SHUTDOWN);
  const policy = view.revisions.find(task.serviceId, task.revision)?.task.restart;
  const restart = planRestart(policy, task, nowMs);
  if (restart === undefined) return { changes: [stop] };
  const { startAfterMs, record } = restart;
  const create = createTask(context, {
    slot: slotOf(task),
    revision: task.revision,
    desiredState: startAfterMs > nowMs ? TaskState.READY : stateAfterLeavers(context, slot),
    startAfterMs,
    restarts: record,
  });
  return { changes: [stop, create], startAfterMs };
}

function replaceNow(
  context: ServiceContext,
  task: StoredTask,
  desiredState: typeof TaskState.READY | typeof TaskState.RUNNING,
): Change[] {
  const { revision, restarts } = task;
  const startAfterMs = startTimeMs(task, context.nowMs);
  const wait = startAfterMs > context.nowMs;
  const create = createTask(context, {
    slot: slotOf(task),
    revision,
    desiredState: wait ? TaskState.READY : desiredState,
    startAfterMs,
    restarts,
  });
  return [setDesired(task, TaskState.SHUTDOWN), create];
}

/** Leaves a drained node in the order the service is updated in: start-first never has fewer tasks than asked for. */
function leaveDrained(context: ServiceContext, slot: Slot): Change[] {
  const task = slot.current;
  const changes = replaceNow(context, task, stateAfterLeavers(context, slot));
  const startFirst = context.service.spec.update?.order === UpdateConfig_Order.START_FIRST;
  if (!startFirst || task.status.state !== TaskState.RUNNING) return changes;
  return replaceNow(context, task, TaskState.RUNNING).slice(1);
}

/** What a task that replaces the current one is to be at first: prepared, while anything that is to leave the slot runs. */
function stateAfterLeavers(
  { view }: ServiceContext,
  { current, tasks }: Slot,
): typeof TaskState.READY | typeof TaskState.RUNNING {
  const leaves = (task: StoredTask) => task === current || !isWanted(task);
  const waits = tasks.some((task) => isHeld(task) && leaves(task) && !isLost(view, task));
  return waits ? TaskState.READY : TaskState.RUNNING;
}

/** When a prepared task may start: its delay is over and nothing that is to leave its slot still runs. */
function startTime({ view, nowMs }: ServiceContext, { current, tasks }: Slot): number {
  let startMs = startTimeMs(current, nowMs);
  for (const task of tasks) {
    const before = task.meta.version < current.meta.version;
    if (!before || !isHeld(task) || isWanted(task) || isLost(view, task)) continue;
    startMs = Math.max(startMs, current.meta.createdAtMs + stopTimeoutMs(view, task));
  }
  return startMs;
}

function stopTimeoutMs(view: View, task: StoredTask): number {
  const spec = view.revisions.find(task.serviceId, task.revision)?.task.container;
  const graceNs = spec?.stopGracePeriodNs;
  const graceMs = graceNs === undefined ? STOP_GRACE_DEFAULT_MS : graceNs / 1e6;
  return graceMs + OLD_TASK_TIMEOUT_MS;
}

function isDrained(view: View, task: StoredTask): boolean {
  return view.nodes.get(task.nodeId)?.spec.availability === NodeAvailability.DRAIN;
}
