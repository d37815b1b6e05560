import { createHash } from "node:crypto";
import { ClusterError } from "../../../core/errors.ts";
import { EtcdRecord, type EtcdSnapshot } from "../../../proto/gen/etcd.ts";
import type { EtcdKv, KeyValue } from "./etcd-kv.ts";
import { type Keys, prefixEnd, recordIndex } from "./keys.ts";

/** Keys of one page: values are of VALUE_BYTES_MAX at most, and an answer of so many must be taken. */
const PAGE_KEYS = 60;

/** Entries that follow each other. */
export interface Entries {
  /** Index of the first. */
  readonly first: number;
  readonly entries: readonly Uint8Array[];
}

/** Reads what the log in etcd consists of. */
export class LogReader {
  readonly #kv: EtcdKv;
  readonly #keys: Keys;

  constructor(kv: EtcdKv, keys: Keys) {
    this.#kv = kv;
    this.#keys = keys;
  }

  /**
   * The records after `index`, at most a page of them; `upTo` is an index the log has reached.
   *
   * @returns undefined when the next one is no longer there: a snapshot holds what it said.
   */
  async readAfter(index: number, upTo: number): Promise<readonly Entries[] | undefined> {
    const keys = this.#keys;
    const range = { get: keys.record(index + 1), end: keys.record(upTo + 1), limit: PAGE_KEYS };
    const { found } = await this.#kv.txn({ act: [range] });
    const read: Entries[] = [];
    let next = index + 1;
    for (const { key, value } of found[0] ?? []) {
      const first = recordIndex(key);
      if (first !== next) break;
      const entries = await this.#entriesOf(first, EtcdRecord.decode(value));
      if (entries === undefined) break;
      read.push({ first, entries });
      next = first + entries.length;
    }
    return read.length === 0 ? undefined : read;
  }

  /** @returns undefined when it is not there as a whole, or not as it was written. */
  async readSnapshot(snapshot: EtcdSnapshot): Promise<readonly Uint8Array[] | undefined> {
    const parts = await this.#readAll(this.#keys.snapshotParts(snapshot.index));
    if (parts.length !== snapshot.parts) return undefined;
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest().equals(snapshot.sha256) ? parts : undefined;
  }

  /** The index of the oldest record; undefined when there is none. */
  async oldestRecord(): Promise<number | undefined> {
    const keys = this.#keys;
    const end = keys.record(Number.MAX_SAFE_INTEGER);
    const range = { get: keys.record(0), end, limit: 1, keysOnly: true };
    const { found } = await this.#kv.txn({ act: [range] });
    const oldest = found[0]?.[0];
    return oldest === undefined ? undefined : recordIndex(oldest.key);
  }

  async #entriesOf(index: number, record: EtcdRecord): Promise<readonly Uint8Array[] | undefined> {
    if (record.parts === 0) return record.entries;
    const parts = await this.#readAll(this.#keys.entryParts(index));
    // A leader that went may have left more of them than the record has.
    if (parts.length < record.parts) return undefined;
    return [Buffer.concat(parts.slice(0, record.parts))];
  }

  async #readAll(prefix: string): Promise<readonly Uint8Array[]> {
    const values: Uint8Array[] = [];
    const end = prefixEnd(prefix);
    for (let get = prefix; ; ) {
      const { found } = await this.#kv.txn({ act: [{ get, end, limit: PAGE_KEYS }] });
      const page: readonly KeyValue[] = found[0] ?? [];
      values.push(...page.map(({ value }) => value));
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_KEYS) return values;
      get = `${last.key}\0`;
    }
  }
}

/** What a member says whose log is gone in part. */
export function logDamaged(index: number): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot go on: etcd has neither entry ${index} of the log nor a whole snapshot after it; restore etcd from a backup`,
    { details: { index } },
  );
}
