import type { Log } from "../../../core/log.ts";
import type { StateMachine } from "../replicated-log.ts";
import { type Entries, type LogReader, logDamaged } from "./log-reader.ts";
import type { MetaView } from "./meta-view.ts";
import type { Snapshots } from "./snapshots.ts";

/** How often in a row the next entry may be missing: a leader removes old ones while we read. */
const GAPS_MAX = 5;

export interface TailParts {
  readonly reader: LogReader;
  readonly view: MetaView;
  readonly stateMachine: StateMachine;
  readonly snapshots: Snapshots;
  readonly log: Log;
}

/** Brings the state machine to the log's head, entry by entry. Calls must not overlap. */
export class Tail {
  readonly #parts: TailParts;
  #index = 0;
  #gaps = 0;
  #hasCaughtUp = false;
  #closed = false;

  constructor(parts: TailParts) {
    this.#parts = parts;
  }

  /** Of the last applied entry. */
  get index(): number {
    return this.#index;
  }

  /** Whether all that is known to be committed is applied. */
  get isAtHead(): boolean {
    return this.#index === this.#parts.view.meta.head?.index;
  }

  /** Whether all that was committed when the log was opened is applied. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }

  /** The head was reached. @returns whether that is so for the first time. */
  noteCaughtUp(): boolean {
    const isFirst = !this.#hasCaughtUp;
    this.#hasCaughtUp = true;
    return isFirst;
  }

  /** Nothing is applied any more. */
  close(): void {
    this.#closed = true;
  }

  /** The results of applying entries that follow the last one. */
  apply({ first, entries }: Entries): unknown[] {
    const { stateMachine, snapshots } = this.#parts;
    return entries.map((data, i) => {
      this.#index = first + i;
      snapshots.count(data.length);
      return stateMachine.apply(this.#index, data);
    });
  }

  /**
   * Takes one step towards the head.
   *
   * @returns whether it could; if not, a fresh look may help.
   * @throws {ClusterError} `DataLoss` when neither the next entry nor a snapshot is there, `Unavailable`.
   */
  async advance(): Promise<boolean> {
    const { reader, view } = this.#parts;
    const isNew = this.#index === 0;
    if (isNew && (await this.#restore())) return true;
    const upTo = view.meta.head?.index ?? 0;
    const read = await reader.readAfter(this.#index, upTo);
    if (this.#closed) return false;
    if (read !== undefined) {
      for (const entries of read) this.apply(entries);
      this.#gaps = 0;
      return true;
    }
    if (!isNew && (await this.#restore())) return true;
    this.#gaps++;
    if (this.#gaps > GAPS_MAX) throw logDamaged(this.#index + 1);
    return false;
  }

  async #restore(): Promise<boolean> {
    const { reader, view, stateMachine, snapshots, log } = this.#parts;
    for (const snapshot of view.meta.snapshots) {
      if (snapshot.index <= this.#index) break;
      const parts = await reader.readSnapshot(snapshot);
      if (this.#closed) return false;
      if (parts === undefined) {
        log.warn("cannot use a snapshot, trying the one before", { index: snapshot.index });
        continue;
      }
      stateMachine.restore(snapshot.index, parts);
      this.#index = snapshot.index;
      this.#gaps = 0;
      snapshots.note(snapshot.index);
      log.info("restored a snapshot", { index: snapshot.index });
      return true;
    }
    return false;
  }
}
