/** Time as an argument: shells take a Clock, pure code takes `nowMs`. The simulation has its own. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; for records people read. */
  nowMs(): number;
  /** Never goes back; for measuring and deadlines. Milliseconds, fractional. */
  monotonicMs(): number;
  /** Calls `fn` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, fn: () => void): () => void;
}
