import type { StoreEvent } from "./apply.ts";

/** Events kept for cursors that are behind; one further back must read the whole state anew. */
export const WATCH_EVENTS_MAX = 32_768;

/** What a cursor takes: the events since it last took, in order, each once; or that it lost its place. */
export type WatchBatch =
  | { readonly kind: "events"; readonly events: readonly StoreEvent[] }
  /** Too far behind, or the state was replaced: read the View now; the next events follow on it. */
  | { readonly kind: "resync" };

/** A reader's place in the sequence of changes. It costs nothing while nobody takes. */
export interface Cursor {
  /** All that is new, or at most about `max` events: those of one transaction are never parted. Never waits. */
  take(max?: number): WatchBatch;
  /** Resolves when `take` would give something, and at close. */
  ready(): Promise<void>;
  close(): void;
}

/** The last changes of the store, and who follows them. */
export class WatchQueue {
  /** Events `#first … #first + #events.length - 1`, counted from the start of the process. */
  #events: StoreEvent[] = [];
  #first = 0;
  /** Log index before the first event that is kept. */
  #floorIndex = 0;
  readonly #max: number;
  readonly #cursors = new Set<QueueCursor>();

  constructor(max: number = WATCH_EVENTS_MAX) {
    this.#max = max;
  }

  get end(): number {
    return this.#first + this.#events.length;
  }

  append(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) this.#events.push(event);
    // In halves, so that one append costs little on average.
    if (this.#events.length > 2 * this.#max) this.#forget(this.#events.length - this.#max);
    this.#wake();
  }

  /** The state was replaced as a whole: every cursor has lost its place. */
  reset(index: number): void {
    this.#forget(this.#events.length);
    // One number that no event has: a cursor that stood at the end stands before the start now.
    this.#first++;
    this.#floorIndex = index;
    this.#wake();
  }

  /** Follows the changes after the log entry `afterIndex`; without it, those from now on. */
  watch(afterIndex?: number): Cursor {
    const cursor = new QueueCursor(this, this.#placeAfter(afterIndex));
    this.#cursors.add(cursor);
    return cursor;
  }

  /** The events from `place` on, whole transactions; undefined: they are forgotten. */
  slice(place: number, max: number): readonly StoreEvent[] | undefined {
    if (place < this.#first) return undefined;
    const start = place - this.#first;
    let end = Math.min(start + max, this.#events.length);
    while (end < this.#events.length && this.#events[end]?.index === this.#events[end - 1]?.index) {
      end++;
    }
    return this.#events.slice(start, end);
  }

  drop(cursor: QueueCursor): void {
    this.#cursors.delete(cursor);
  }

  #placeAfter(afterIndex: number | undefined): number {
    if (afterIndex === undefined) return this.end;
    if (afterIndex < this.#floorIndex) return this.#first - 1;
    const offset = this.#events.findIndex((event) => event.index > afterIndex);
    return offset < 0 ? this.end : this.#first + offset;
  }

  #forget(count: number): void {
    this.#floorIndex = this.#events[count - 1]?.index ?? this.#floorIndex;
    this.#events = this.#events.slice(count);
    this.#first += count;
  }

  #wake(): void {
    for (const cursor of this.#cursors) cursor.wake();
  }
}

class QueueCursor implements Cursor {
  readonly #queue: WatchQueue;
  #place: number;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(queue: WatchQueue, place: number) {
    this.#queue = queue;
    this.#place = place;
  }

  take(max: number = Number.POSITIVE_INFINITY): WatchBatch {
    const events = this.#queue.slice(this.#place, max);
    if (events === undefined) {
      this.#place = this.#queue.end;
      return { kind: "resync" };
    }
    this.#place += events.length;
    return { kind: "events", events };
  }

  async ready(): Promise<void> {
    if (this.#closed || this.#place !== this.#queue.end) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  close(): void {
    this.#closed = true;
    this.#queue.drop(this);
    this.wake();
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
