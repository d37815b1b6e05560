/** Longest a stop on purpose waits for the nodes to stop sending connections to the task (DESIGN D5). */
export const DRAIN_WAIT_MAX_MS = 2_000;

interface Held {
  readonly deadlineMs: number;
  /** By network, the first version of its table without the task. */
  readonly needs: ReadonlyMap<string, number>;
}

/**
 * Holds back the stop of tasks until every node that could send them a connection has confirmed a table without them.
 *
 * Invariant: a task is held for DRAIN_WAIT_MAX_MS at most, whoever stays silent.
 */
export class DrainGate {
  readonly #held = new Map<string, Held>();

  /** The task is to stop; from now on it is held. @param needs by network, the table version that must be served. */
  hold(taskId: string, needs: ReadonlyMap<string, number>, nowMs: number): void {
    if (needs.size > 0 && !this.#held.has(taskId)) {
      this.#held.set(taskId, { needs, deadlineMs: nowMs + DRAIN_WAIT_MAX_MS });
    }
  }

  holds(taskId: string): boolean {
    return this.#held.has(taskId);
  }

  /** The task ended by itself, or is gone. */
  drop(taskId: string): void {
    this.#held.delete(taskId);
  }

  /**
   * Lets go whoever needs not wait any more.
   *
   * @param servedBy the version of a network's table that every node in need of it has confirmed.
   */
  release(servedBy: (networkId: string) => number, nowMs: number): string[] {
    const released: string[] = [];
    for (const [taskId, { needs, deadlineMs }] of this.#held) {
      const served = [...needs].every(([networkId, version]) => servedBy(networkId) >= version);
      if (!served && nowMs < deadlineMs) continue;
      this.#held.delete(taskId);
      released.push(taskId);
    }
    return released;
  }
}
