import { ClusterError } from "../../core/errors.ts";
import type { Entry, HardState, SnapshotMeta, StoredState } from "../../raft-ts/types.ts";
import type { WalBatch, WalRestart } from "./wal/batch.ts";

/** What the write-ahead log amounts to. */
export interface ReplayedLog {
  readonly hardState: HardState;
  /** The last snapshot that replaced the log, if it is still told of. */
  readonly restart: WalRestart | undefined;
  /** Consecutive; after a purge the first may have any index. */
  readonly entries: readonly Entry[];
}

/** What a member starts from. */
export interface RecoveredState {
  readonly stored: StoredState;
  /** To be written before anything else: the snapshot is newer than the log, which must say so. */
  readonly restart: WalRestart | undefined;
}

/**
 * Folds the batches, oldest first: an entry whose index exists replaces it and all after it.
 *
 * @throws {ClusterError} `DataLoss` when an entry is missing between two others.
 */
export function replayBatches(batches: readonly WalBatch[]): ReplayedLog {
  let hardState: HardState = { term: 0, vote: 0, commit: 0 };
  let restart: WalRestart | undefined;
  let entries: Entry[] = [];
  for (const batch of batches) {
    hardState = batch.hardState ?? hardState;
    if (batch.restart !== undefined) {
      restart = batch.restart;
      entries = [];
    }
    for (const entry of batch.entries) appendEntry(entries, entry, restart);
  }
  return { hardState, restart, entries };
}

/** An entry before the first one known replaces some that were purged, and so all that are known. */
function appendEntry(entries: Entry[], entry: Entry, restart: WalRestart | undefined): void {
  const first = entries[0]?.index ?? (restart === undefined ? entry.index : restart.index + 1);
  const next = first + entries.length;
  const isVoid = restart !== undefined && entry.index <= restart.index;
  if (entry.index > next || isVoid) {
    throw incomplete(`entry ${entry.index} follows where ${next} belongs`);
  }
  entries.length = Math.max(0, entry.index - first);
  entries.push(entry);
}

/**
 * Joins the log with the snapshot to start from.
 *
 * A snapshot newer than the log came from a leader just before a crash: the log is void then, unless its entry at the
 * snapshot's index has the snapshot's term and so is the same log (Log Matching, paper §5.3).
 *
 * @param snapshot the newest that is whole.
 * @param keepEntries entries kept before the snapshot, for members a little behind.
 * @param damaged says of each newer snapshot what is wrong with it; shown when it would have been needed.
 * @throws {ClusterError} `DataLoss` when acknowledged entries are in neither.
 */
export function recoverState(
  log: ReplayedLog,
  snapshot: SnapshotMeta | undefined,
  {
    keepEntries,
    damaged = [],
  }: { readonly keepEntries: number; readonly damaged?: readonly string[] },
): RecoveredState {
  const unusable = (why: string) => incomplete([why, ...damaged].join("; "));
  const snapshotIndex = snapshot?.index ?? 0;
  if ((log.restart?.index ?? 0) > snapshotIndex) {
    throw unusable(`the snapshot at ${log.restart?.index} it goes on from is gone`);
  }
  const first = log.entries[0]?.index ?? snapshotIndex + 1;
  if (first > snapshotIndex + 1) {
    throw unusable(`it starts at ${first}, the newest whole snapshot is at ${snapshotIndex}`);
  }
  const isSameLog = snapshot === undefined || continues(log, snapshot);
  const entries = isSameLog
    ? log.entries.filter((entry) => entry.index > snapshotIndex - keepEntries)
    : [];
  const lastIndex = entries.at(-1)?.index ?? snapshotIndex;
  if (log.hardState.commit > Math.max(lastIndex, snapshotIndex)) {
    throw unusable(`entries up to ${log.hardState.commit} were committed, it ends at ${lastIndex}`);
  }
  return {
    stored: { hardState: raisedTo(log.hardState, snapshot), snapshot, entries },
    restart: isSameLog ? undefined : snapshot,
  };
}

/** Whether the log goes on from the snapshot. */
function continues(log: ReplayedLog, snapshot: SnapshotMeta): boolean {
  const [first] = log.entries;
  if (first === undefined) return log.restart?.index === snapshot.index;
  if (first.index === snapshot.index + 1) return true;
  return log.entries[snapshot.index - first.index]?.term === snapshot.term;
}

/** A snapshot holds only what is committed, by a leader whose term we thereby know. */
function raisedTo(hardState: HardState, snapshot: SnapshotMeta | undefined): HardState {
  if (snapshot === undefined) return hardState;
  const commit = Math.max(hardState.commit, snapshot.index);
  if (hardState.term >= snapshot.term) return { ...hardState, commit };
  return { term: snapshot.term, vote: 0, commit };
}

function incomplete(why: string): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot start: the write-ahead log is incomplete: ${why}; remove this manager from the swarm, empty its ` +
      "directory and join it again",
  );
}
