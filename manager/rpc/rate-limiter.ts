/** Attempts one address may make in a row. */
export const JOIN_BURST = 20;
/** Attempts it gets back each second. */
export const JOINS_PER_SECOND = 2;
/** Addresses remembered at most; past it the one that has been quiet longest is forgotten. */
export const ADDRESSES_MAX = 1024;

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** Lets each address ask for certificates so often and no more: secrets cannot be guessed fast, nor the CA kept busy. */
export class JoinLimiter {
  /** Kept in order of the last attempt. */
  readonly #buckets = new Map<string, Bucket>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** How long `address` has to wait before it may try; 0: it may now, and the attempt is counted. */
  take(address: string, nowMs: number): number {
    const { left, atMs } = this.#buckets.get(address) ?? { left: JOIN_BURST, atMs: nowMs };
    const refilled = Math.min(JOIN_BURST, left + ((nowMs - atMs) / 1000) * JOINS_PER_SECOND);
    const allowed = refilled >= 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { left: allowed ? refilled - 1 : refilled, atMs: nowMs });
    this.#forgetQuietest();
    return allowed ? 0 : Math.ceil(((1 - refilled) / JOINS_PER_SECOND) * 1000);
  }

  #forgetQuietest(): void {
    if (this.#buckets.size <= ADDRESSES_MAX) return;
    const [quietest] = this.#buckets.keys();
    if (quietest !== undefined) this.#buckets.delete(quietest);
  }
}
