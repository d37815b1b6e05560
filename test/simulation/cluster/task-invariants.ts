import { isUnderWay } from "../../../manager/orchestrator/updater.ts";
import { demandOf } from "../../../manager/scheduler/node-usage.ts";
import type { StoredService, StoredTask } from "../../../manager/store/objects.ts";
import type { View } from "../../../manager/store/tables.ts";
import { isHeld } from "../../../manager/store/task-life.ts";
import {
  NodeAvailability,
  TaskState,
  UpdateConfig_Order,
  UpdateStatus_State,
} from "../../../proto/gen/objects.ts";
import type { Change } from "../../../proto/gen/store.ts";
import { labelOf } from "./host-containers.ts";
import { type Component, forbidden, stateName } from "./transitions.ts";
import type { World } from "./world.ts";

/** Two containers of a slot may run side by side for so long: until the loss is noticed, told and the stop done. */
export const DOUBLE_RUN_MAX_MS = 10_000;
/** A node is looked at as undisturbed once nothing was wrong with it for so long. */
export const CALM_MS = 6_000;
/** A drain and an assignment may cross for as long as entries are under way. */
const CROSSING_MS = 1_000;

/** What must hold of tasks in the store and of containers on the machines. */
export class TaskInvariants {
  readonly #world: World;
  #before = new Map<string, StoredTask>();
  readonly #started = new Set<string>();
  /** Since when a node's tasks are not to be added to, by node. */
  readonly #closedSinceMs = new Map<string, number>();
  /** Since when more than one container of a slot runs, by slot. */
  readonly #doubleSinceMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** TransitionTableOK, who may what; and PlannedOnce: no plan says the same of a task twice. */
  onProposed(component: Component, changes: readonly Change[], view: View): void {
    const seen = new Set<string>();
    for (const change of changes) {
      const object = change.object?.kind;
      if (object?.$case !== "task") continue;
      const { id } = object.value;
      const why = forbidden(component, change, view);
      if (why !== undefined) {
        this.#world.violate(`TransitionTableOK: the ${component} has a task ${id} and ${why}`);
      }
      const key = `${id} ${change.action} ${change.fields.join()}`;
      if (seen.has(key)) this.#world.violate(`PlannedOnce: the ${component} changes ${id} twice`);
      seen.add(key);
    }
  }

  /** After every entry, on the first manager to apply it. */
  onApplied(view: View): void {
    this.#noteClosed(view);
    const after = new Map<string, StoredTask>();
    for (const task of view.tasks.values()) {
      after.set(task.id, task);
      const before = this.#before.get(task.id);
      if (before === task) continue;
      if (before !== undefined) this.#checkRise(before, task);
      const placed = isHeld(task) && (before === undefined || !isHeld(before));
      if (placed) this.#checkPlace(view, task);
    }
    this.#before = after;
  }

  /** TransitionTableOK, in the store: states only rise, a node is chosen once, what a task is never changes. */
  #checkRise(before: StoredTask, after: StoredTask): void {
    const violate = (what: string) =>
      this.#world.violate(`TransitionTableOK: task ${after.id} ${what}`);
    if (after.status.state < before.status.state) {
      violate(`falls from ${stateName(before.status.state)} to ${stateName(after.status.state)}`);
    }
    if (after.desiredState < before.desiredState) violate("is desired less than before");
    if (before.nodeId !== "" && after.nodeId !== before.nodeId) violate("changes its node");
    const isSame =
      after.serviceId === before.serviceId &&
      after.slot === before.slot &&
      after.revision === before.revision;
    if (!isSame) violate("becomes another one");
  }

  /** NeverOvercommitted: a node takes no task it has no room for, and none while it takes none. */
  #checkPlace(view: View, task: StoredTask): void {
    const node = view.nodes.get(task.nodeId);
    const violate = (what: string) =>
      this.#world.violate(`NeverOvercommitted: task ${task.id} on ${task.nodeId}: ${what}`);
    if (node === undefined) return;
    const closedMs =
      this.#world.time.monotonicMs() - (this.#closedSinceMs.get(node.id) ?? Infinity);
    if (closedMs > CROSSING_MS) violate("it takes no new tasks");
    let nanoCpus = 0;
    const ports = new Set<string>();
    for (const other of view.tasks.ofNode(node.id)) {
      const revision = view.revisions.find(other.serviceId, other.revision);
      if (!isHeld(other) || revision === undefined) continue;
      const demand = demandOf(revision);
      nanoCpus += demand.nanoCpus;
      for (const port of demand.hostPorts) {
        if (ports.has(port)) violate(`port ${port} is taken twice`);
        ports.add(port);
      }
    }
    const there = node.description?.resources?.nanoCpus ?? 0;
    if (nanoCpus > there) violate(`${nanoCpus / 1e9} of ${there / 1e9} CPUs are taken`);
  }

  #noteClosed(view: View): void {
    const nowMs = this.#world.time.monotonicMs();
    for (const { id, spec } of view.nodes.values()) {
      if (spec.availability === NodeAvailability.ACTIVE) this.#closedSinceMs.delete(id);
      else if (!this.#closedSinceMs.has(id)) this.#closedSinceMs.set(id, nowMs);
    }
  }

  /** NoDoubleRun: no slot has two containers on undisturbed machines for longer than noticing a loss takes. */
  checkContainers(): void {
    const world = this.#world;
    const nowMs = world.time.monotonicMs();
    const bySlot = new Map<string, string[]>();
    for (const node of world.nodes) {
      if (world.time.monotonicMs() - node.disturbedAtMs < CALM_MS) continue;
      for (const container of node.containers.running) {
        const { name } = container.config;
        const slot = name.slice(0, name.lastIndexOf("."));
        const key = `${labelOf(container, "service")} ${slot}`;
        bySlot.set(key, [...(bySlot.get(key) ?? []), `${name} on ${node.nodeId}`]);
      }
    }
    for (const [slot, names] of bySlot) {
      if (names.length < 2) {
        this.#doubleSinceMs.delete(slot);
        continue;
      }
      const sinceMs = this.#doubleSinceMs.get(slot) ?? nowMs;
      this.#doubleSinceMs.set(slot, sinceMs);
      if (nowMs - sinceMs < DOUBLE_RUN_MAX_MS) continue;
      world.violate(`NoDoubleRun: ${names.join(" and ")} for ${DOUBLE_RUN_MAX_MS} ms`);
    }
    for (const slot of this.#doubleSinceMs.keys()) {
      if (!bySlot.has(slot)) this.#doubleSinceMs.delete(slot);
    }
  }

  /**
   * StopsOnlyUnwanted: no container is stopped that somebody wants, whoever leads, is away or comes back. What is wanted
   * only falls, and a worker knows no more than the log holds: no haste excuses it.
   */
  onStop(nodeId: string, taskId: string): void {
    const task = this.#world.latest?.tasks.get(taskId);
    if (task === undefined || task.desiredState > TaskState.RUNNING) return;
    if (task.status.state > TaskState.RUNNING) return;
    this.#world.violate(`StopsOnlyUnwanted: ${nodeId} stops ${taskId}, which is to run`);
  }

  /**
   * RunsOnce: a task has one container in its life, which is started once.
   *
   * NoDoubleRun, at the start of a container: nothing of its slot runs on a machine that is undisturbed, unless the
   * service is updated start-first. A stop is waited for by the wall clock, a minute longer than its grace: where clocks
   * are set the wait may end early, and only the bound of `checkContainers` holds.
   */
  onStarted(nodeId: string, taskId: string): void {
    if (this.#started.has(taskId)) {
      this.#world.violate(`RunsOnce: ${nodeId} starts ${taskId} a second time`);
    }
    this.#started.add(taskId);
    const { view, wasClockSet } = this.#world;
    const task = view?.tasks.get(taskId);
    if (view === undefined || task === undefined || wasClockSet) return;
    const service = view.services.get(task.serviceId);
    if (service?.spec.update?.order === UpdateConfig_Order.START_FIRST || task.slot === 0) return;
    for (const node of this.#world.nodes) {
      const isCalm = this.#world.time.monotonicMs() - node.disturbedAtMs > DOUBLE_RUN_MAX_MS;
      if (!isCalm || node.nodeId === nodeId) continue;
      for (const container of node.containers.running) {
        const other = view.tasks.get(labelOf(container, "task"));
        if (other?.serviceId !== task.serviceId || other.slot !== task.slot) continue;
        this.#world.violate(
          `NoDoubleRun: ${taskId} starts on ${nodeId} while ${other.id} of its slot runs on ${node.nodeId}`,
        );
      }
    }
  }

  /** EventuallyAsDesired, of tasks and containers. @returns what is not yet so. */
  whatIsMissing(view: View): string | undefined {
    return this.#whatRunsAmiss(view) ?? whatIsUnsettled(view);
  }

  /** Containers beside what is declared. */
  #whatRunsAmiss(view: View): string | undefined {
    const { nodes } = this.#world;
    const wanted = new Map<string, number>();
    for (const { id, spec } of view.services.values()) {
      const replicas = spec.mode?.$case === "replicated" ? spec.mode.value.replicas : nodes.length;
      wanted.set(id, replicas);
    }
    const running = new Map<string, number>();
    for (const { containers, nodeId, dataPlane } of nodes) {
      for (const { id } of dataPlane.sandboxes()) {
        const task = view.tasks.get(id);
        if (task === undefined || !isHeld(task)) return `${nodeId} has the sandbox of no task`;
      }
      for (const container of containers.all.list()) {
        const task = view.tasks.get(labelOf(container, "task"));
        if (task === undefined) return `${nodeId} has a container of a task that is gone`;
        if (container.state !== "running") continue;
        if (task.nodeId !== nodeId) return `${nodeId} runs a task of another node`;
        if (task.desiredState > TaskState.RUNNING) return `${nodeId} runs what is not wanted`;
        if (task.status.state !== TaskState.RUNNING) return `${task.id} runs and is not said to`;
        running.set(task.serviceId, (running.get(task.serviceId) ?? 0) + 1);
      }
    }
    for (const [id, count] of wanted) {
      const runs = running.get(id) ?? 0;
      if (runs !== count) return `${runs} of ${count} of ${view.services.get(id)?.spec.name} run`;
    }
    return undefined;
  }
}

/** What the managers still have to do. */
function whatIsUnsettled(view: View): string | undefined {
  for (const { spec, updateStatus } of view.services.values()) {
    if (isUnderWay(updateStatus)) return `the update of ${spec.name} is not over`;
  }
  for (const task of view.tasks.values()) {
    const service = view.services.get(task.serviceId);
    if (service === undefined) return `task ${task.id} of a service that is gone`;
    if (!isHeld(task) || isPaused(service)) continue;
    if (task.revision !== service.revision) return `task ${task.id} is of an earlier revision`;
  }
  return undefined;
}

function isPaused({ updateStatus }: StoredService): boolean {
  const state = updateStatus?.state;
  return state === UpdateStatus_State.PAUSED || state === UpdateStatus_State.ROLLBACK_PAUSED;
}
