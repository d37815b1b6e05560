/** Attempts one address may make in a row. */
export const JOIN_BURST = 20;
/** Attempts it gets back each second. */
export const JOINS_PER_SECOND = 2;
/** Addresses remembered at most; past it the one that has been quiet longest is forgotten. */
const ADDRESSES_MAX = 1024;

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** Lets each address try to join so often and no more: secrets cannot be guessed fast, nor the CA kept busy. */
export class JoinLimiter {
  /** Kept in order of the last attempt. */
  readonly #buckets = new Map<string, Bucket>();

  /** Whether `address` may try now; if so, the attempt is counted. */
  tryTake(address: string, nowMs: number): boolean {
    const { left, atMs } = this.#buckets.get(address) ?? { left: JOIN_BURST, atMs: nowMs };
    const refilled = Math.min(JOIN_BURST, left + ((nowMs - atMs) / 1000) * JOINS_PER_SECOND);
    const allowed = refilled >= 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { left: allowed ? refilled - 1 : refilled, atMs: nowMs });
    this.#forgetQuietest();
    return allowed;
  }

  #forgetQuietest(): void {
    if (this.#buckets.size <= ADDRESSES_MAX) return;
    const [quietest] = this.#buckets.keys();
    if (quietest !== undefined) this.#buckets.delete(quietest);
  }
}
