import type { Clock } from "../../core/clock.ts";
import { systemClock } from "../../core/system-clock.ts";

interface Timer {
  atMs: number;
  readonly fn: () => void;
  cancel: () => void;
}

/**
 * The machine's clock, set to another time; it can be moved forward at any moment, and timers then fall due as if the
 * time had passed. TLS goes by the machine's own clock: certificates must hold by both for connections to be made.
 */
export class ShiftedClock implements Clock {
  readonly #timers = new Set<Timer>();
  #shiftMs: number;

  constructor(shiftMs: number) {
    this.#shiftMs = shiftMs;
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer: Timer = { atMs: this.nowMs() + delayMs, fn, cancel: () => undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  /** Lets `ms` pass at once. */
  forward(ms: number): void {
    this.#shiftMs += ms;
    for (const timer of this.#timers) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    const delayMs = Math.max(0, timer.atMs - this.nowMs());
    timer.cancel = systemClock.after(delayMs, () => {
      this.#timers.delete(timer);
      timer.fn();
    });
  }
}
