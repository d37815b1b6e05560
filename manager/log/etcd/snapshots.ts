import { createHash } from "node:crypto";
import { ClusterError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { EtcdSnapshot } from "../../../proto/gen/etcd.ts";
import { SNAPSHOT_LOG_BYTES } from "../snapshotter.ts";
import type { EtcdKv, Operation } from "./etcd-kv.ts";
import type { Keys } from "./keys.ts";
import type { LogReader } from "./log-reader.ts";
import type { MetaView } from "./meta-view.ts";
import { VALUE_BYTES_MAX } from "./record.ts";

/** Of one transaction; etcd takes 128. */
const OPERATIONS_MAX = 100;
/** Entries whose records go with one transaction. */
const PURGE_ENTRIES = 1_000;

export interface SnapshotsParts {
  readonly kv: EtcdKv;
  readonly keys: Keys;
  readonly view: MetaView;
  readonly reader: LogReader;
  readonly raftId: number;
  readonly log: Log;
  readonly onFailure: (error: unknown) => void;
}

/** The state after `index`, as the leader of `term` has it. */
export interface State {
  readonly index: number;
  readonly term: number;
  readonly parts: readonly Uint8Array[];
}

/** Saves snapshots while this member leads, and removes what the two newest make needless. */
export class Snapshots {
  readonly #parts: SnapshotsParts;
  readonly #interval: number;
  #newest = 0;
  #bytes = 0;
  #work: Promise<void> | undefined;

  constructor(parts: SnapshotsParts, interval: number) {
    this.#parts = parts;
    this.#interval = interval;
  }

  /** Entries of so many bytes were applied. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** There is a snapshot at `index`. */
  note(index: number): void {
    if (index <= this.#newest) return;
    this.#newest = index;
    this.#bytes = 0;
  }

  /** Saves beside other work when the newest snapshot is `interval` entries or too many bytes old. */
  maybeSave(index: number, take: () => State): void {
    const isDue = index - this.#newest >= this.#interval || this.#bytes >= SNAPSHOT_LOG_BYTES;
    if (!isDue || this.#work !== undefined) return;
    const state = take();
    this.#work = this.#save(state)
      .catch((error: unknown) => {
        if (!(error instanceof ClusterError)) this.#parts.onFailure(error);
        else this.#parts.log.warn("cannot save a snapshot yet", { error: error.message });
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  /** Resolves when nothing is being saved. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #save(state: State): Promise<void> {
    const { keys, view, log } = this.#parts;
    const { index, term, parts } = state;
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    const puts = parts.map((value, i) => ({ put: keys.snapshotPart(index, i), value }));
    for (const act of groupPuts(puts)) await this.#fenced(term, act);
    const manifest = { index, parts: parts.length, sha256: hash.digest() };
    const value = EtcdSnapshot.encode(manifest).finish();
    await this.#fenced(term, [{ put: keys.snapshot(index), value }]);
    this.note(index);
    log.info("saved a snapshot in etcd", { index });
    const older = view.meta.snapshots.map((snapshot) => snapshot.index);
    const before = older.filter((other) => other < index);
    const [kept, ...needless] = before;
    if (kept !== undefined) await this.#purge(term, kept, needless);
  }

  /** The manifests first: what has none does not count. */
  async #purge(term: number, kept: number, needless: readonly number[]): Promise<void> {
    const { keys, reader } = this.#parts;
    for (const index of needless) await this.#fenced(term, [{ remove: keys.snapshot(index) }]);
    const end = keys.snapshotParts(kept);
    await this.#fenced(term, [{ remove: keys.snapshotParts(0), end }]);
    const oldest = (await reader.oldestRecord()) ?? kept + 1;
    for (let from = oldest; from <= kept; from += PURGE_ENTRIES) {
      const next = Math.min(from + PURGE_ENTRIES, kept + 1);
      await this.#fenced(term, [
        { remove: keys.record(from), end: keys.record(next) },
        { remove: keys.entryParts(from), end: keys.entryParts(next) },
      ]);
    }
  }

  /** Only while we lead: a leader that was replaced must not remove what the new one counts on. */
  async #fenced(term: number, act: readonly Operation[]): Promise<void> {
    const { kv, keys, raftId } = this.#parts;
    const fence = { key: keys.candidate(raftId), createRevision: term };
    const { held } = await kv.txn({ when: [fence], act });
    if (!held) throw new ClusterError("Aborted", "this manager leads no more");
  }
}

function* groupPuts(
  puts: readonly { readonly put: string; readonly value: Uint8Array }[],
): Iterable<Operation[]> {
  let group: Operation[] = [];
  let bytes = 0;
  for (const put of puts) {
    const isFull = bytes + put.value.length > VALUE_BYTES_MAX || group.length === OPERATIONS_MAX;
    if (isFull && group.length > 0) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(put);
    bytes += put.value.length;
  }
  if (group.length > 0) yield group;
}
