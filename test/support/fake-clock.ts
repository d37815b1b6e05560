import type { Clock } from "../../core/clock.ts";

/** Time that moves when told to. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  /** By which the wall clock was set forward; negative: back. */
  wallOffsetMs = 0;
  #timers: { readonly atMs: number; readonly fn: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs + this.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets time pass, running what falls due in order, with a turn of the event loop after each step. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (let next = this.#due(endMs); next !== undefined; next = this.#due(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = endMs;
  }

  #due(endMs: number): { readonly atMs: number; readonly fn: () => void } | undefined {
    const [first] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
    if (first === undefined || first.atMs > endMs) return undefined;
    this.#timers = this.#timers.filter((one) => one !== first);
    return first;
  }
}
