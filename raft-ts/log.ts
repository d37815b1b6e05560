import { assert } from "./assert.ts";
import { EntryList, type LogPosition } from "./entry-list.ts";
import type { Entry, SnapshotMeta, StoredState } from "./types.ts";

/**
 * A member's log and how far it is with it.
 *
 * Invariants: `applied <= handed <= commit <= last.index` (applied lags a received snapshot until the shell restored it);
 * entries up to `commit` never change.
 */
export class RaftLog {
  readonly #entries: EntryList;
  #commit: number;
  /** Last index given to the shell to apply. */
  #handed: number;
  #applied: number;
  /** Last index given to the shell to write. */
  #saved: number;
  #snapshot: SnapshotMeta | undefined;
  /** A received snapshot not yet given to the shell. */
  #received: SnapshotMeta | undefined;
  /** Indexes above `applied` that hold a membership change, rising. */
  #unappliedConf: number[] = [];

  constructor(stored: StoredState) {
    const { base, entries } = usable(stored);
    this.#snapshot = stored.snapshot;
    this.#entries = new EntryList(base);
    this.#entries.append(entries);
    this.#applied = stored.snapshot?.index ?? 0;
    this.#handed = this.#applied;
    this.#saved = this.last.index;
    this.#commit = Math.max(this.#applied, Math.min(stored.hardState.commit, this.last.index));
    this.#noteConfChanges(entries.filter((entry) => entry.index > this.#applied));
  }

  get commit(): number {
    return this.#commit;
  }

  get applied(): number {
    return this.#applied;
  }

  get firstIndex(): number {
    return this.#entries.firstIndex;
  }

  get last(): LogPosition {
    return this.#entries.last;
  }

  /** The newest snapshot the shell holds, for peers whose entries are forgotten here. */
  get snapshot(): SnapshotMeta | undefined {
    return this.#snapshot;
  }

  /** Received, and the shell has not restored it yet. */
  get isRestoring(): boolean {
    return this.#snapshot !== undefined && this.#applied < this.#snapshot.index;
  }

  term(index: number): number | undefined {
    return this.#entries.term(index);
  }

  findAgreement(index: number, term: number): number {
    return this.#entries.findAgreement(index, term);
  }

  slice(from: number, bytesMax: number): Entry[] {
    return this.#entries.slice(from, this.last.index, bytesMax);
  }

  /** Index of the first membership change in the log that is not yet applied. */
  get firstUnappliedConf(): number | undefined {
    return this.#unappliedConf[0];
  }

  /** Index of the last membership change up to `index` that is not yet applied. */
  lastUnappliedConf(index: number): number | undefined {
    return this.#unappliedConf.findLast((at) => at <= index);
  }

  /** Whether a log that ends at `other` has everything this one may have committed. Source: Raft paper §5.4.1. */
  isUpToDate(other: LogPosition): boolean {
    const { index, term } = this.last;
    return other.term > term || (other.term === term && other.index >= index);
  }

  /** Appends at the end; the leader's way. */
  append(entries: readonly Entry[]): void {
    this.#entries.append(entries);
    this.#noteConfChanges(entries);
  }

  /**
   * Appends what follows `prev`, dropping what conflicts; the follower's way. Entries already here are left alone, so that
   * an old message cannot shorten the log.
   *
   * @returns the last index now known equal to the leader's, or undefined when `prev` is not in this log.
   * Source: Raft paper §5.3 and Figure 2, AppendEntries steps 2 to 4.
   */
  merge(prev: LogPosition, entries: readonly Entry[]): number | undefined {
    if (this.term(prev.index) !== prev.term) return undefined;
    const lastNew = prev.index + entries.length;
    const novel = entries.findIndex((entry) => this.term(entry.index) !== entry.term);
    const first = entries[novel];
    if (first === undefined) return lastNew;

    assert(
      first.index > this.#commit,
      `entry ${first.index} conflicts with a committed one (commit ${this.#commit}): two leaders in one term, or a lost disk`,
    );
    this.#entries.truncate(first.index);
    this.#saved = Math.min(this.#saved, first.index - 1);
    this.#unappliedConf = this.#unappliedConf.filter((index) => index < first.index);
    this.append(novel === 0 ? entries : entries.slice(novel));
    return lastNew;
  }

  /** @returns the entries this commits, in order. */
  commitTo(index: number): Entry[] {
    if (index <= this.#commit) return [];
    assert(
      index <= this.last.index,
      `commit ${index} is past the last entry ${this.last.index}: this member lost entries it had acknowledged; remove it and let it join under a new raft id`,
    );
    const from = this.#commit + 1;
    this.#commit = index;
    return this.#entries.slice(from, index);
  }

  /** The uncommitted tail. */
  uncommitted(): Entry[] {
    return this.#entries.slice(this.#commit + 1, this.last.index);
  }

  /** Replaces the whole log by a received snapshot. */
  restore(snapshot: SnapshotMeta): void {
    assert(snapshot.index > this.#commit, `snapshot ${snapshot.index} is behind ${this.#commit}`);
    this.#entries.reset({ index: snapshot.index, term: snapshot.term });
    this.#snapshot = snapshot;
    this.#received = snapshot;
    this.#unappliedConf = [];
    this.#commit = snapshot.index;
    this.#handed = snapshot.index;
    this.#saved = snapshot.index;
  }

  /** The shell holds `snapshot`; entries up to `toIndex` are forgotten. */
  compact(snapshot: SnapshotMeta, toIndex: number): void {
    const { index } = snapshot;
    assert(index <= this.#applied, `snapshot ${index} is ahead of the applied ${this.#applied}`);
    if (this.#snapshot !== undefined && index <= this.#snapshot.index) return;
    assert(
      (this.term(index) ?? snapshot.term) === snapshot.term,
      `snapshot ${index} has the wrong term ${snapshot.term}`,
    );
    this.#snapshot = snapshot;
    this.#entries.compact(Math.min(toIndex, index));
  }

  /** What the shell has not been told to write yet; then it has. */
  takeUnsaved(): { readonly snapshot: SnapshotMeta | undefined; readonly entries: Entry[] } {
    const snapshot = this.#received;
    const entries = this.#entries.slice(this.#saved + 1, this.last.index);
    this.#received = undefined;
    this.#saved = this.last.index;
    return { snapshot, entries };
  }

  /** What the shell has not been told to apply yet, within `bytesMax`; then it has. */
  takeCommitted(bytesMax: number): Entry[] {
    if (this.#handed === this.#commit) return [];
    const entries = this.#entries.slice(this.#handed + 1, this.#commit, bytesMax);
    this.#handed += entries.length;
    return entries;
  }

  appliedTo(index: number): void {
    if (index <= this.#applied) return;
    assert(index <= this.#handed, `applied ${index} was not handed out (${this.#handed})`);
    this.#applied = index;
    while ((this.#unappliedConf[0] ?? Number.POSITIVE_INFINITY) <= index) {
      this.#unappliedConf.shift();
    }
  }

  #noteConfChanges(entries: readonly Entry[]): void {
    for (const { kind, index } of entries) {
      if (kind === "confChange") this.#unappliedConf.push(index);
    }
  }
}

/** The part of what was stored that goes on from the snapshot; a crash may have left entries from before it. */
function usable({ snapshot, entries }: StoredState): {
  base: LogPosition;
  entries: readonly Entry[];
} {
  const first = entries[0];
  const base = snapshot ?? { index: 0, term: 0 };
  if (first === undefined || first.index === base.index + 1) return { base, entries };
  assert(
    first.index <= base.index,
    `stored log starts at ${first.index} but the snapshot ends at ${base.index}: entries between are lost`,
  );
  const atSnapshot = entries[base.index - first.index];
  if (atSnapshot?.term !== base.term) return { base, entries: [] };
  // The base's term must be known, so the first entry serves as base, except the very first of all.
  if (first.index === 1) return { base: { index: 0, term: 0 }, entries };
  return { base: first, entries: entries.slice(1) };
}
