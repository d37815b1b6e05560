import type { StoredNode, StoredRevision } from "../store/objects.ts";
import { publishedKey } from "../store/ports.ts";

/** Failures of a service on a node within FAILURE_WINDOW_MS from which on other nodes are preferred. Source: swarmkit. */
export const FAILURES_MAX = 5;
export const FAILURE_WINDOW_MS = 5 * 60_000;
/** Services whose failures a node remembers; the one that failed longest ago is forgotten first. */
export const FAILING_SERVICES_MAX = 1_000;

/** What one task of a revision takes of a node. */
export interface Demand {
  readonly serviceId: string;
  readonly revision: number;
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** Host ports it needs for itself: "80/tcp". */
  readonly hostPorts: readonly string[];
}

/** What a task of this revision takes; nothing where the spec reserves nothing. */
export function demandOf(revision: StoredRevision): Demand {
  const reserved = revision.task.resources?.reservations;
  return {
    serviceId: revision.serviceId,
    revision: revision.revision,
    nanoCpus: reserved?.nanoCpus ?? 0,
    memoryBytes: reserved?.memoryBytes ?? 0,
    hostPorts: revision.hostPorts.filter((port) => port.publishedPort !== 0).map(publishedKey),
  };
}

/** One node with what its tasks take of it. */
export class NodeUsage {
  node: StoredNode;
  /** Tasks that are to run there. */
  total = 0;
  #nanoCpus = 0;
  #memoryBytes = 0;
  readonly #uses = new Map<string, { readonly demand: Demand; readonly wanted: boolean }>();
  readonly #perService = new Map<string, number>();
  readonly #hostPorts = new Map<string, number>();
  readonly #failures = new Map<string, number[]>();

  constructor(node: StoredNode) {
    this.node = node;
  }

  get freeNanoCpus(): number {
    return (this.node.description?.resources?.nanoCpus ?? 0) - this.#nanoCpus;
  }

  get freeMemoryBytes(): number {
    return (this.node.description?.resources?.memoryBytes ?? 0) - this.#memoryBytes;
  }

  /** Tasks of the service that are to run there. */
  countOf(serviceId: string): number {
    return this.#perService.get(serviceId) ?? 0;
  }

  holdsPort(port: string): boolean {
    return this.#hostPorts.has(port);
  }

  /** Puts a task here; one that is not `wanted` is to stop, but takes its share until it has. */
  add(taskId: string, demand: Demand, wanted: boolean): void {
    this.remove(taskId);
    this.#uses.set(taskId, { demand, wanted });
    this.#reserve(demand, 1);
    if (wanted) this.#count(demand.serviceId, 1);
  }

  remove(taskId: string): void {
    const use = this.#uses.get(taskId);
    if (use === undefined) return;
    this.#uses.delete(taskId);
    this.#reserve(use.demand, -1);
    if (use.wanted) this.#count(use.demand.serviceId, -1);
  }

  /** Whether the service failed here so often lately that elsewhere is better. */
  isFailing({ serviceId, revision }: Demand, nowMs: number): boolean {
    if (this.#failures.size === 0) return false;
    const times = this.#failures.get(`${serviceId}/${revision}`) ?? [];
    return times.length === FAILURES_MAX && (times[0] ?? 0) > nowMs - FAILURE_WINDOW_MS;
  }

  /** Notes a failure; the last FAILURES_MAX of a service's revision count. */
  addFailure(serviceId: string, revision: number, atMs: number): void {
    const key = `${serviceId}/${revision}`;
    const times = [...(this.#failures.get(key) ?? []), atMs].sort((a, b) => a - b);
    this.#failures.delete(key);
    this.#failures.set(key, times.slice(-FAILURES_MAX));
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > FAILING_SERVICES_MAX && oldest !== undefined) {
      this.#failures.delete(oldest);
    }
  }

  #reserve({ nanoCpus, memoryBytes, hostPorts }: Demand, sign: 1 | -1): void {
    this.#nanoCpus += sign * nanoCpus;
    this.#memoryBytes += sign * memoryBytes;
    for (const port of hostPorts) addTo(this.#hostPorts, port, sign);
  }

  #count(serviceId: string, sign: 1 | -1): void {
    this.total += sign;
    addTo(this.#perService, serviceId, sign);
  }
}

function addTo(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
