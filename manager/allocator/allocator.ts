import { TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { ingressNetworkOf } from "../endpoints/entries.ts";
import { NO_PLAN, type Plan, type Planner } from "../reconcile/planner.ts";
import type { StoreEvent } from "../store/apply.ts";
import { updateChange } from "../store/changes.ts";
import type { StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isWanted } from "../store/task-life.ts";
import { Allocations } from "./allocations.ts";
import { isEndpointCurrent, planEndpoint } from "./endpoint-plan.ts";
import { planNetwork } from "./network-plan.ts";
import { planTask } from "./task-plan.ts";

/** Objects one plan gives something to at most; more wait for the next, which follows at once. */
export const OBJECTS_PER_PLAN_MAX = 10_000;

/**
 * Gives networks their subnets, services their virtual addresses and ports, nodes and tasks their addresses. What
 * cannot be given is tried again when something is freed; meanwhile the tasks that wait say for what.
 */
export class Allocator implements Planner {
  readonly name = "allocator";
  #allocations = new Allocations();
  readonly #networks = new Set<string>();
  readonly #nodes = new Set<string>();
  readonly #services = new Set<string>();
  readonly #tasks = new Set<string>();
  /** Tried in vain since anything was freed. */
  readonly #waiting = new Map<string, Set<string>>();
  /** What services wait for, by their id. */
  readonly #problems = new Map<string, string>();

  reset(view: View): void {
    this.#allocations = Allocations.of(view);
    this.#waiting.clear();
    this.#problems.clear();
    for (const set of [this.#networks, this.#nodes, this.#services, this.#tasks]) set.clear();
    for (const { id } of view.networks.values()) this.#networks.add(id);
    for (const { id } of view.nodes.values()) this.#nodes.add(id);
    for (const { id } of view.services.values()) this.#services.add(id);
    for (const task of view.tasks.values()) if (isNew(task)) this.#tasks.add(task.id);
  }

  observe(view: View, event: StoreEvent): void {
    const freed = this.#allocations.observe(event);
    if (freed) this.#retryWaiting();
    if (event.kind === "network") {
      const network = event.after ?? event.before;
      this.#networks.add(network?.id ?? "");
      if (network?.spec.ingress !== true) return;
      for (const { id } of view.nodes.values()) this.#nodes.add(id);
    } else if (event.kind === "node") {
      if (event.before === undefined && event.after !== undefined) this.#nodes.add(event.after.id);
    } else if (event.kind === "service") {
      if (event.after !== undefined) this.#services.add(event.after.id);
      // Its tasks may have waited for its addresses.
      this.#retryWaiting();
    } else if (event.kind === "task") {
      if (event.after !== undefined && isNew(event.after)) this.#tasks.add(event.after.id);
    }
  }

  plan(view: View, nowMs: number): Plan {
    const ports = new Set<string>();
    // What comes later builds on what comes earlier being in the store; of two networks the second must see the first.
    const steps: readonly Step[] = [
      { set: this.#networks, max: 1, plan: (id) => this.#planNetwork(view, id) },
      { set: this.#nodes, max: OBJECTS_PER_PLAN_MAX, plan: (id) => this.#planNode(view, id) },
      {
        set: this.#services,
        max: OBJECTS_PER_PLAN_MAX,
        plan: (id) => this.#planService(view, id, ports),
      },
      {
        set: this.#tasks,
        max: OBJECTS_PER_PLAN_MAX,
        plan: (id) => this.#planTask(view, id, nowMs),
      },
    ];
    for (const step of steps) {
      const changes = this.#take(step);
      if (changes.length === 0) continue;
      return { groups: changes.map((change) => [change]), wakeAtMs: undefined };
    }
    return NO_PLAN;
  }

  /** Plans the objects noted in one set until there are `max` changes. */
  #take({ set, max, plan }: Step): Change[] {
    const changes: Change[] = [];
    for (const id of set) {
      if (changes.length >= max) break;
      set.delete(id);
      const { change, wait = false } = plan(id);
      if (change !== undefined) changes.push(change);
      if (wait) this.#waiting.set(id, set);
    }
    return changes;
  }

  #retryWaiting(): void {
    for (const [id, set] of this.#waiting) set.add(id);
    this.#waiting.clear();
  }

  #planNetwork(view: View, id: string): Outcome {
    const network = view.networks.get(id);
    if (network === undefined || network.vni !== 0 || network.pendingDelete === true) return {};
    const allocation = planNetwork(view, network);
    if ("problem" in allocation) return { wait: true };
    return { change: updateChange("network", id, allocation, { skipIfAbsent: true }) };
  }

  #planNode(view: View, id: string): Outcome {
    const node = view.nodes.get(id);
    if (node === undefined) return {};
    const ingress = ingressNetworkOf(view);
    const kept = node.attachments.filter(({ networkId }) => networkId === ingress?.id);
    const options = { skipIfAbsent: true };
    if (ingress === undefined || kept.length > 0) {
      if (kept.length === node.attachments.length) return {};
      return { change: updateChange("node", id, { attachments: kept }, options) };
    }
    const address = this.#allocations.take(ingress.id, id);
    if (address === undefined) return { wait: true };
    const attachments = [{ networkId: ingress.id, addresses: [address], aliases: [] }];
    return { change: updateChange("node", id, { attachments }, options) };
  }

  #planService(view: View, id: string, reservedPorts: Set<string>): Outcome {
    const service = view.services.get(id);
    if (service === undefined || isEndpointCurrent(view, service)) return {};
    const allocations = this.#allocations;
    const allocation = planEndpoint(view, service, { allocations, reservedPorts });
    if ("problem" in allocation) {
      this.#problems.set(id, allocation.problem);
      return { wait: true };
    }
    this.#problems.delete(id);
    // Not to a spec this plan has not seen.
    const options = { ifVersion: service.meta.version, skipIfAbsent: true };
    return { change: updateChange("service", id, { endpoint: allocation.endpoint }, options) };
  }

  #planTask(view: View, id: string, nowMs: number): Outcome {
    const task = view.tasks.get(id);
    if (task === undefined || !isNew(task)) return {};
    const allocation = planTask(view, task, this.#allocations);
    const options = { skipIfAbsent: true };
    if (!("problem" in allocation)) {
      const message = "pending task scheduling";
      const status = { state: TaskState.PENDING, timestampMs: nowMs, message, err: "" };
      const { networks } = allocation;
      return { change: updateChange("task", id, { networks, status }, options) };
    }
    const problem = this.#problems.get(task.serviceId) ?? allocation.problem;
    const err = `cannot give the task its addresses: ${problem}`;
    if (task.status.err === err) return { wait: true };
    const message = "pending task allocation";
    const status = { state: TaskState.NEW, timestampMs: nowMs, message, err };
    return { wait: true, change: updateChange("task", id, { status }, options) };
  }
}

interface Outcome {
  readonly change?: Change;
  /** Tried in vain: again when something is freed. */
  readonly wait?: boolean;
}

interface Step {
  readonly set: Set<string>;
  readonly max: number;
  readonly plan: (id: string) => Outcome;
}

function isNew(task: StoredTask): boolean {
  return task.status.state === TaskState.NEW && isWanted(task);
}
