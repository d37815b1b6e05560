import type { Leadership } from "./replicated-log.ts";

/** Nobody known to lead. */
export const NO_LEADER: Leadership = { leaderRaftId: undefined, isLeader: false, term: 0 };

/** The current leadership and who wants to hear of its changes. */
export class LeadershipCell {
  #current: Leadership = NO_LEADER;
  readonly #listeners = new Set<(leadership: Leadership) => void>();

  get current(): Leadership {
    return this.#current;
  }

  /** Tells each listener from a fresh stack, so that none acts inside the log's own step; no change, no call. */
  set(next: Leadership): void {
    const { leaderRaftId, isLeader, term } = this.#current;
    if (next.leaderRaftId === leaderRaftId && next.isLeader === isLeader && next.term === term) {
      return;
    }
    this.#current = next;
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(next);
      });
    }
  }

  /** Calls `listener` on each change until the returned function is called. */
  listen(listener: (leadership: Leadership) => void): () => void {
    // A wrapper, so that one function may listen twice and each ends by itself.
    const own = (leadership: Leadership): void => listener(leadership);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}
