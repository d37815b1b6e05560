/** How often something may be done. */
export interface Rate {
  /** So often in a row. */
  readonly burst: number;
  /** What one gets back. */
  readonly perSecond: number;
}

/** Callers remembered at most; past it the one that has been quiet longest is forgotten. */
export const CALLERS_MAX = 1024;

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** Lets each caller do something so often and no more, whoever counts as one: a network, a node. */
export class RateLimiter {
  readonly #rate: Rate;
  /** Kept in order of the last attempt. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** How many callers are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** How long `caller` has to wait before it may; 0: it may now, and that is counted. */
  take(caller: string, nowMs: number): number {
    const { burst, perSecond } = this.#rate;
    const { left, atMs } = this.#buckets.get(caller) ?? { left: burst, atMs: nowMs };
    const refilled = Math.min(burst, left + ((nowMs - atMs) / 1000) * perSecond);
    const allowed = refilled >= 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { left: allowed ? refilled - 1 : refilled, atMs: nowMs });
    this.#forgetQuietest();
    return allowed ? 0 : Math.ceil(((1 - refilled) / perSecond) * 1000);
  }

  #forgetQuietest(): void {
    if (this.#buckets.size <= CALLERS_MAX) return;
    const [quietest] = this.#buckets.keys();
    if (quietest !== undefined) this.#buckets.delete(quietest);
  }
}
