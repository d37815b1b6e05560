import type { Entry, HardState, Ready } from "../../raft-ts/types.ts";
import type { WalBatch, WalRestart } from "./wal/batch.ts";
import type { Wal } from "./wal/wal.ts";

/** Entry bytes in one batch before what queues goes into the next; at least one Ready goes. */
export const BATCH_BYTES_MAX = 2 * 1024 * 1024;

/** What the writer tells its driver. */
export interface LogWriterEvents {
  /** Everything up to this Ready is durable. */
  readonly onStable: (readyId: number) => void;
  /** The disk failed: stop. */
  readonly onFailure: (error: unknown) => void;
}

/** Group commit without timers: one durable write at a time, and the next batch is whatever queued while it ran. */
export class LogWriter {
  readonly #wal: Wal;
  readonly #events: LogWriterEvents;
  #queue: Ready[] = [];
  /** A commit index that moved alone is not worth a flush: it goes with the next batch. */
  #hardState: HardState | undefined;
  #writing: Promise<void> | undefined;
  #onRolled: (() => void)[] = [];

  constructor(wal: Wal, events: LogWriterEvents) {
    this.#wal = wal;
    this.#events = events;
  }

  add(ready: Ready): void {
    if (!ready.mustSync) {
      // Only behind what is written can it overtake nothing.
      if (this.#queue.length === 0) this.#hardState = ready.hardState ?? this.#hardState;
      else this.#queue.push(ready);
      return;
    }
    this.#queue.push(ready);
    this.#writing ??= this.#writeAll();
  }

  /** Writes a batch although nothing may have happened: the log goes on under its new key then. */
  roll(onRolled: () => void): void {
    this.#onRolled.push(onRolled);
    this.#writing ??= this.#writeAll();
  }

  /** Writes what was held back, so that a restart knows how far the log was committed; resolves when all is written. */
  async finish(): Promise<void> {
    await this.#writing;
    const hardState = this.#hardState;
    if (hardState === undefined) return;
    this.#hardState = undefined;
    await this.#wal
      .append({ hardState, restart: undefined, entries: [] })
      .catch(this.#events.onFailure);
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#queue.length > 0 || this.#onRolled.length > 0) {
        const rolled = this.#onRolled.splice(0);
        const group = takeGroup(this.#queue);
        const batch = mergeReadys(group, this.#hardState);
        this.#hardState = undefined;
        await this.#wal.append(batch);
        const last = group.at(-1);
        if (last !== undefined) this.#events.onStable(last.id);
        for (const onRolled of rolled) onRolled();
      }
    } catch (error) {
      this.#queue = [];
      this.#onRolled = [];
      this.#hardState = undefined;
      this.#events.onFailure(error);
    } finally {
      this.#writing = undefined;
    }
  }
}

/** Removes from `queue` what one batch holds. */
function takeGroup(queue: Ready[]): readonly Ready[] {
  let bytes = 0;
  const end = queue.findIndex((ready, i) => {
    bytes += entryBytes(ready.entries);
    return i > 0 && bytes > BATCH_BYTES_MAX;
  });
  return queue.splice(0, end < 0 ? queue.length : end);
}

function entryBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.data.length, 0);
}

/** Several Readys as one batch: the last hard state; a snapshot voids the entries before it. */
export function mergeReadys(readys: readonly Ready[], hardState?: HardState): WalBatch {
  let restart: WalRestart | undefined;
  let entries: Entry[] = [];
  let last = hardState;
  for (const ready of readys) {
    last = ready.hardState ?? last;
    if (ready.snapshot !== undefined) {
      restart = { index: ready.snapshot.index, term: ready.snapshot.term };
      entries = [];
    }
    for (const entry of ready.entries) entries.push(entry);
  }
  return { hardState: last, restart, entries };
}
