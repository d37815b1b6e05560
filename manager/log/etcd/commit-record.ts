import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import { EtcdHead, EtcdRecord } from "../../../proto/gen/etcd.ts";
import type { Condition, EtcdKv } from "./etcd-kv.ts";
import type { Keys } from "./keys.ts";
import type { Head } from "./meta-view.ts";
import { encodeRecord } from "./record.ts";

/** Between two tries when etcd does not answer. */
export const RETRY_MS = 200;

export interface CommitParts {
  readonly kv: EtcdKv;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly raftId: number;
  /** Whether this member may still believe to lead in `term`. */
  readonly isLeading: (term: number) => boolean;
}

/** What is to be written. */
export interface Batch {
  readonly entries: readonly Uint8Array[];
  readonly term: number;
  /** Rises with each batch of a term. */
  readonly sequence: number;
  /** The log as the batch goes on with it. */
  readonly head: Head;
}

/**
 * What became of it. `moved`: not written, but the log goes further than was known, as an earlier write took effect late.
 * `lost`: not written and never will be, as leadership is another's. `unknown`: nobody answered while we led.
 */
export type Outcome =
  | { readonly kind: "committed"; readonly revision: number }
  | { readonly kind: "moved" | "lost" | "unknown" }
  | { readonly kind: "refused"; readonly error: ClusterError };

/**
 * Writes a batch as the next record, once.
 *
 * The transaction holds only while our candidacy is the one we lead by and the head is the one we know. So it may be sent
 * again when nobody answered: if the first did take effect the second does not, and finds our record there.
 */
export async function commitRecord(parts: CommitParts, batch: Batch): Promise<Outcome> {
  const { clock, isLeading } = parts;
  const commit = newCommit(parts, batch);
  let isMaybeDone = false;
  while (isLeading(batch.term)) {
    try {
      return await commit();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code !== "Unavailable") {
        return isMaybeDone ? { kind: "unknown" } : { kind: "refused", error };
      }
      isMaybeDone ||= error.details.outcomeUnknown === true;
      await pause(clock, RETRY_MS);
    }
  }
  return { kind: isMaybeDone ? "unknown" : "lost" };
}

/** One try after the other; parts that are written already are not written again. */
function newCommit({ kv, keys, raftId }: CommitParts, batch: Batch): () => Promise<Outcome> {
  const { entries, term, sequence, head } = batch;
  const first = head.index + 1;
  const { value, parts } = encodeRecord(entries, { term, sequence });
  const candidate = keys.candidate(raftId);
  const fence: Condition = { key: candidate, createRevision: term };
  const unmoved: Condition = { key: keys.head, modRevision: head.modRevision };
  const record = keys.record(first);
  const newHead = EtcdHead.encode({ index: head.index + entries.length }).finish();
  let written = 0;
  return async () => {
    for (; written < parts.length; written++) {
      const part = parts[written] ?? new Uint8Array(0);
      const put = { put: keys.entryPart(first, written), value: part };
      const { held } = await kv.txn({ when: [fence], act: [put] });
      if (!held) return { kind: "lost" };
    }
    const { held, revision, found } = await kv.txn({
      when: [fence, unmoved],
      act: [
        { put: record, value },
        { put: keys.head, value: newHead },
      ],
      otherwise: [{ get: record }, { get: candidate }],
    });
    if (held) return { kind: "committed", revision };
    const [stored] = found[0] ?? [];
    if (stored !== undefined && isOurs(stored.value, batch)) {
      return { kind: "committed", revision: stored.modRevision };
    }
    return { kind: found[1]?.[0]?.createRevision === term ? "moved" : "lost" };
  };
}

function isOurs(value: Uint8Array, { term, sequence }: Batch): boolean {
  const stored = EtcdRecord.decode(value);
  return stored.term === term && stored.sequence === sequence;
}

export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}
