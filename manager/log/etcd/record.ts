import { EtcdRecord } from "../../../proto/gen/etcd.ts";

/** Of one value: etcd takes requests of 1.5 MiB. */
export const VALUE_BYTES_MAX = 1024 * 1024;
/** Bytes around each entry in a record, at most. */
const ENTRY_OVERHEAD_BYTES = 8;
/** Entries of one record: what a reader has to hold is bounded by bytes, what a batch costs to apply by this. */
export const RECORD_ENTRIES_MAX = 1024;

/** What is written as one: a record, and the parts of an entry too large for it. */
export interface WrittenRecord {
  readonly value: Uint8Array;
  /** Written first. */
  readonly parts: readonly Uint8Array[];
}

/** How many of the first of `entries` go into one record; at least one when there is any. */
export function countFitting(entries: Iterable<Uint8Array>): number {
  let count = 0;
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.byteLength + ENTRY_OVERHEAD_BYTES;
    if (count > 0 && (bytes > VALUE_BYTES_MAX || count === RECORD_ENTRIES_MAX)) break;
    count++;
  }
  return count;
}

/** Makes a record of entries that fit, or of a single one of any size. */
export function encodeRecord(
  entries: readonly Uint8Array[],
  id: { readonly term: number; readonly sequence: number },
): WrittenRecord {
  const [first] = entries;
  const isLarge = first !== undefined && entries.length === 1 && first.length > VALUE_BYTES_MAX;
  if (!isLarge) {
    const record = { ...id, entries: entries.map(asBuffer), parts: 0 };
    return { value: EtcdRecord.encode(record).finish(), parts: [] };
  }
  const parts = splitParts(first);
  const record = { ...id, entries: [], parts: parts.length };
  return { value: EtcdRecord.encode(record).finish(), parts };
}

/** Pieces that fit into a value each. */
export function splitParts(data: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += VALUE_BYTES_MAX) {
    parts.push(data.subarray(at, at + VALUE_BYTES_MAX));
  }
  return parts;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
