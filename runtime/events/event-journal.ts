import type { Clock } from "../../core/clock.ts";
import { EventReader } from "./event-reader.ts";
import type { EngineEvent, EventQuery, EventSink, NewEngineEvent } from "./types.ts";

/** Events kept for replay; older ones are forgotten. */
export const EVENTS_KEPT_MAX = 4096;
const NS_PER_MS = 1_000_000n;

/** What happened on this machine, the last EVENTS_KEPT_MAX of it, and whoever follows it. In memory: a new process begins anew. */
export class EventJournal implements EventSink {
  readonly #clock: Clock;
  readonly #readers = new Set<EventReader>();
  /** Oldest first, with strictly rising times. */
  #kept: EngineEvent[] = [];
  #lastNs = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many follow it now. */
  get readers(): number {
    return this.#readers.size;
  }

  publish(event: NewEngineEvent): void {
    const nowNs = this.#nowNs();
    this.#lastNs = nowNs > this.#lastNs ? nowNs : this.#lastNs + 1n;
    const timed: EngineEvent = { ...event, scope: event.scope ?? "local", timeNs: this.#lastNs };
    this.#kept.push(timed);
    // Half at a time, so that keeping costs a shift of the list only now and then.
    if (this.#kept.length > 2 * EVENTS_KEPT_MAX) this.#kept = this.#kept.slice(-EVENTS_KEPT_MAX);
    for (const reader of this.#readers) reader.offer(timed);
  }

  /**
   * The events of a query in their order, each once: first those kept, then new ones as they come.
   *
   * Ends at `untilNs` or when `signal` aborts.
   *
   * @throws {ClusterError} ResourceExhausted when the reader is READER_EVENTS_MAX behind: it is cut off, nobody waits for it.
   */
  async *follow(query: EventQuery): AsyncGenerator<EngineEvent> {
    const { sinceNs, untilNs, fits = () => true, onTooSlow = () => {}, signal } = query;
    const reader = new EventReader((event) => !isAfter(event, untilNs) && fits(event), onTooSlow);
    const end = (): void => reader.end();
    signal?.addEventListener("abort", end, { once: true });
    const cancelTimer = this.#endAt(untilNs, reader);
    // Both in one turn of the event loop: no event is missed between them, none comes twice.
    const past = sinceNs === undefined ? [] : this.#keptFrom(sinceNs, untilNs).filter(fits);
    this.#readers.add(reader);
    try {
      for (const event of past) {
        if (signal?.aborted) return;
        yield event;
      }
      yield* reader.events();
    } finally {
      this.#readers.delete(reader);
      signal?.removeEventListener("abort", end);
      cancelTimer();
    }
  }

  /** Without a timer for a time that is over, or that is further away than timers can be. */
  #endAt(untilNs: bigint | undefined, reader: EventReader): () => void {
    if (untilNs === undefined) return () => {};
    const delayMs = Number((untilNs - this.#nowNs()) / NS_PER_MS);
    if (delayMs > 0)
      return delayMs > DELAY_MS_MAX ? () => {} : this.#clock.after(delayMs, () => reader.end());
    reader.end();
    return () => {};
  }

  #keptFrom(sinceNs: bigint, untilNs: bigint | undefined): readonly EngineEvent[] {
    const kept = this.#kept.slice(-EVENTS_KEPT_MAX);
    return kept.filter((event) => event.timeNs >= sinceNs && !isAfter(event, untilNs));
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#clock.nowMs())) * NS_PER_MS;
  }
}

/** As far as setTimeout can wait: 24 days. */
const DELAY_MS_MAX = 2 ** 31 - 1;

function isAfter(event: EngineEvent, untilNs: bigint | undefined): boolean {
  return untilNs !== undefined && event.timeNs > untilNs;
}
