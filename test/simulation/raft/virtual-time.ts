import type { Clock } from "../../../core/clock.ts";

interface TimedEvent {
  readonly atMs: number;
  /** Events of one moment happen in the order they were asked for. */
  readonly order: number;
  fn: (() => void) | undefined;
}

/** When a simulation begins, in ms since 1970; any will do. */
const EPOCH_MS = Date.UTC(2024, 0, 1);

/**
 * Time that passes only when told to. After each event every promise it settled has run its course before the next event
 * begins, so the whole program's order follows from the seed alone: nothing in it may wait for real timers or I/O.
 */
export class VirtualTime implements Clock {
  readonly #heap: TimedEvent[] = [];
  #nowMs = 0;
  #order = 0;

  nowMs(): number {
    return EPOCH_MS + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const event: TimedEvent = { atMs: this.#nowMs + delayMs, order: this.#order++, fn };
    this.#push(event);
    return () => {
      event.fn = undefined;
    };
  }

  /** Lets events happen for `durationMs`, or until `isDone` after one of them; returns whether it was. */
  async pass(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return isDone();
      }
      this.#pop();
      if (next.fn === undefined) continue;
      this.#nowMs = next.atMs;
      next.fn();
      await settled();
    }
    return true;
  }

  #push(event: TimedEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const least = b !== undefined && a !== undefined && isBefore(b, a) ? left + 1 : left;
      const child = heap[least];
      if (child === undefined || isBefore(last, child)) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = last;
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Immediates run once no microtask is left. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
