import { assert } from "./assert.ts";
import type { Entry } from "./types.ts";

/** What an entry counts for beyond its data, so that empty entries are bounded too. */
const ENTRY_OVERHEAD_BYTES = 24;

/** What an entry weighs in windows and limits. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** An entry by its place; no two different entries ever share one. Source: Raft paper §5.3, Log Matching. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/**
 * The entries in memory: all since the last compaction, consecutive.
 *
 * `base` is the last forgotten position ({0, 0} at first); its term is still known. Every lookup is O(1) or a binary
 * search; invariant: terms never fall as the index rises.
 */
export class EntryList {
  #base: LogPosition;
  #entries: Entry[] = [];

  constructor(base: LogPosition) {
    this.#base = base;
  }

  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get last(): LogPosition {
    return this.#entries.at(-1) ?? this.#base;
  }

  /** Of the entry at `index`; undefined when it is forgotten or not there yet. */
  term(index: number): number | undefined {
    if (index === this.#base.index) return this.#base.term;
    return this.#at(index)?.term;
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { index, term } = this.last;
      assert(entry.index === index + 1, `log has a gap: entry ${entry.index} after ${index}`);
      assert(entry.term >= term, `term falls from ${term} to ${entry.term} at ${entry.index}`);
      this.#entries.push(entry);
    }
  }

  /** Drops the entries from `index` on. */
  truncate(index: number): void {
    assert(index >= this.firstIndex, `cannot truncate at ${index}: compacted`);
    this.#entries.length = Math.min(this.#entries.length, index - this.firstIndex);
  }

  /** Forgets the entries up to `index`; those before it may be forgotten already. */
  compact(index: number): void {
    if (index <= this.#base.index) return;
    const term = this.term(index);
    assert(term !== undefined, `cannot compact to ${index}: the log ends at ${this.last.index}`);
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = { index, term };
  }

  /** Forgets everything and goes on after `base`. */
  reset(base: LogPosition): void {
    this.#base = base;
    this.#entries = [];
  }

  /** The entries in `[from, to]`, cut so that their bytes stay within `bytesMax`; never cut to nothing. */
  slice(from: number, to: number, bytesMax = Number.POSITIVE_INFINITY): Entry[] {
    assert(from >= this.firstIndex, `entry ${from} is compacted; the first is ${this.firstIndex}`);
    const start = from - this.firstIndex;
    const end = Math.min(to - this.firstIndex + 1, this.#entries.length);
    if (bytesMax === Number.POSITIVE_INFINITY) return this.#entries.slice(start, end);

    let bytes = 0;
    let count = 0;
    for (let i = start; i < end; i++) {
      const entry = this.#entries[i];
      if (entry === undefined) break;
      bytes += entryBytes(entry);
      if (count > 0 && bytes > bytesMax) break;
      count += 1;
    }
    return this.#entries.slice(start, start + count);
  }

  /**
   * The greatest index up to `index` whose term is at most `term`: where a log that has `term` at `index` may agree with
   * this one. `base.index - 1` when even the base's term is greater.
   */
  findAgreement(index: number, term: number): number {
    let low = this.#base.index - 1;
    let high = Math.min(index, this.last.index);
    if (high <= low) return index;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const termAtMiddle = this.term(middle);
      assert(termAtMiddle !== undefined, `no term at ${middle}`);
      if (termAtMiddle <= term) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #at(index: number): Entry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }
}
