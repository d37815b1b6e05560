import type { Entry, HardState, Ready, SnapshotMeta, StoredState } from "../../../raft-ts/index.ts";
import { emptyState } from "../../../raft-ts/index.ts";

/** What a disk holds after a number of writes; the shell's rules for {@link Ready} and nothing else. */
export class StoredLog {
  hardState: HardState;
  snapshot: SnapshotMeta | undefined;
  entries: Entry[];

  constructor(state: StoredState = emptyState()) {
    this.hardState = state.hardState;
    this.snapshot = state.snapshot;
    this.entries = [...state.entries];
  }

  write(ready: Ready): void {
    if (ready.snapshot !== undefined) this.#restart(ready.snapshot);
    const first = ready.entries[0];
    if (first !== undefined) {
      const kept = this.entries.filter((entry) => entry.index < first.index);
      this.entries = [...kept, ...ready.entries];
    }
    this.hardState = ready.hardState ?? this.hardState;
  }

  /** Keeps a snapshot made here, and the last `keepEntries` entries before it. */
  save(snapshot: SnapshotMeta, keepEntries: number): void {
    if (this.termAt(snapshot.index) !== snapshot.term) {
      this.#restart(snapshot);
      return;
    }
    this.snapshot = snapshot;
    this.entries = this.entries.filter((entry) => entry.index > snapshot.index - keepEntries);
  }

  get lastIndex(): number {
    return this.entries.at(-1)?.index ?? this.snapshot?.index ?? 0;
  }

  /** Undefined when the entry is not there (or forgotten). */
  termAt(index: number): number | undefined {
    const first = this.entries[0]?.index ?? 0;
    const term = this.entries[index - first]?.term;
    return term ?? (this.snapshot?.index === index ? this.snapshot.term : undefined);
  }

  copy(): StoredLog {
    return new StoredLog(this.toState());
  }

  toState(): StoredState {
    return { hardState: this.hardState, snapshot: this.snapshot, entries: [...this.entries] };
  }

  /** What was written before says nothing about what follows the snapshot. */
  #restart(snapshot: SnapshotMeta): void {
    this.snapshot = snapshot;
    this.entries = [];
  }
}
