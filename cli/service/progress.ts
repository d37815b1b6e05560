import type { WireNode, WireService, WireTask } from "../client/wire.ts";

/** How far a service is on its way to what was asked, as one look at it shows. */
export interface Progress {
  readonly running: number;
  readonly desired: number;
  /** One for each slot, lowest first: its newest task. */
  readonly slots: readonly SlotProgress[];
  readonly outcome: Outcome;
  /** For a failed outcome: the reason, of the task it happened to. */
  readonly reason: string;
}

export interface SlotProgress {
  readonly label: string;
  readonly state: string;
  readonly err: string;
}

export type Outcome = "pending" | "converged" | "unplaceable" | "failing" | "paused" | "rolledBack";

/** Failed tasks of one slot after which it is called failing; the orchestrator keeps trying all the same. */
export const FAILURES_MAX = 3;

/**
 * Judges a service by its tasks.
 *
 * @param tasks all of the service, of the current spec or not.
 * @param nodes for a global service: how many tasks it should have.
 */
export function judgeProgress(
  service: WireService,
  tasks: readonly WireTask[],
  nodes: readonly WireNode[],
): Progress {
  const slots = newestBySlot(
    tasks.filter((task) => task.DesiredState === "running" || task.DesiredState === "ready"),
  );
  const desired = desiredTasks(service, nodes);
  const shown = [...slots.entries()].sort(([a], [b]) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const running = shown.filter(([, task]) => task.Status.State === "running").length;
  const state = { slots, running, desired, failures: countFailures(tasks) };
  return {
    running,
    desired,
    slots: shown.map(([label, task]) => ({
      label,
      state: task.Status.State,
      err: task.Status.Err ?? "",
    })),
    ...judge(service, state, tasks),
  };
}

interface State {
  readonly slots: ReadonlyMap<string, WireTask>;
  readonly running: number;
  readonly desired: number;
  readonly failures: ReadonlyMap<string, number>;
}

function judge(
  service: WireService,
  state: State,
  tasks: readonly WireTask[],
): { outcome: Outcome; reason: string } {
  const update = service.UpdateStatus;
  const message = update?.Message ?? "";
  if (update?.State === "paused" || update?.State === "rollback_paused")
    return { outcome: "paused", reason: message };
  if (update?.State === "rollback_completed") return { outcome: "rolledBack", reason: message };
  const updating = update?.State === "updating" || update?.State === "rollback_started";
  const extra = tasks.filter((task) => task.DesiredState !== "running" && isLive(task)).length;
  if (
    !updating &&
    state.running === state.desired &&
    state.slots.size === state.desired &&
    extra === 0
  ) {
    return { outcome: "converged", reason: "" };
  }
  return judgeUnfinished(
    [...state.slots.entries()].filter(([, task]) => task.Status.State !== "running"),
    state,
    tasks,
  );
}

function judgeUnfinished(
  unfinished: readonly (readonly [string, WireTask])[],
  state: State,
  tasks: readonly WireTask[],
): { outcome: Outcome; reason: string } {
  const unplaced = unfinished.filter(([, task]) => isUnplaceable(task));
  if (unplaced.length > 0 && unplaced.length === unfinished.length) {
    return { outcome: "unplaceable", reason: placementReason(unplaced[0]?.[1]) };
  }
  const failing = unfinished.find(([slot]) => (state.failures.get(slot) ?? 0) >= FAILURES_MAX);
  if (failing === undefined) return { outcome: "pending", reason: "" };
  return { outcome: "failing", reason: lastError(failing[0], tasks) };
}

/** The scheduler says in a pending task why no node takes it. */
function isUnplaceable(task: WireTask): boolean {
  return task.Status.State === "pending" && placementReason(task).includes("no suitable node");
}

function placementReason(task: WireTask | undefined): string {
  return task?.Status.Err || task?.Status.Message || "";
}

function isLive(task: WireTask): boolean {
  return ["starting", "running", "ready", "preparing"].includes(task.Status.State);
}

function newestBySlot(tasks: readonly WireTask[]): Map<string, WireTask> {
  const slots = new Map<string, WireTask>();
  for (const task of tasks) {
    const other = slots.get(slotOf(task));
    if (other === undefined || other.CreatedAt < task.CreatedAt) slots.set(slotOf(task), task);
  }
  return slots;
}

function countFailures(tasks: readonly WireTask[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const task of tasks) {
    if (!isFailed(task)) continue;
    counts.set(slotOf(task), (counts.get(slotOf(task)) ?? 0) + 1);
  }
  return counts;
}

function lastError(slot: string, tasks: readonly WireTask[]): string {
  const failed = tasks.filter((task) => slotOf(task) === slot && isFailed(task));
  failed.sort((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1));
  return failed[0]?.Status.Err ?? "";
}

const isFailed = (task: WireTask) => ["failed", "rejected"].includes(task.Status.State);
const slotOf = (task: WireTask) =>
  task.Slot === undefined ? (task.NodeID ?? "") : String(task.Slot);

function desiredTasks(service: WireService, nodes: readonly WireNode[]): number {
  const replicas = service.Spec.Mode.Replicated?.Replicas;
  if (replicas !== undefined) return replicas;
  return nodes.filter(
    (node) => node.Status.State === "ready" && node.Spec.Availability === "active",
  ).length;
}
