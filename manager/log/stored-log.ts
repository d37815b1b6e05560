import { ClusterError } from "../../core/errors.ts";
import type { StoredState } from "../../raft-ts/types.ts";
import type { LogDisk } from "./disk/log-disk.ts";
import { recoverState, replayBatches } from "./recovery.ts";
import type { DataKeys } from "./seal/data-key.ts";
import { type LoadedSnapshot, SnapshotStore } from "./snapshot/snapshot-store.ts";
import { readWal } from "./wal/wal.ts";

/** A manager's log as it lies on its disk. */
export interface StoredLog {
  /** Whose it is. */
  readonly raftId: number;
  /** The newest whole one. */
  readonly snapshot: LoadedSnapshot | undefined;
  /** Hard state, and the entries after the snapshot. */
  readonly stored: StoredState;
  /** Why the last record does not count: it was cut off, and so never acknowledged. */
  readonly torn: string | undefined;
  /** Messages that name the snapshots that are damaged. */
  readonly damaged: readonly string[];
}

/**
 * Reads the log of a manager that does not run, and changes nothing: `nodeDisk(join(dir, "raft"))`.
 *
 * @param keys what it is sealed with; undefined for a directory in clear.
 * @throws {ClusterError} `NotFound` when there is no log, `DataLoss` when acknowledged records are damaged,
 * `FailedPrecondition` when the key is missing.
 */
export async function readStoredLog(disk: LogDisk, keys: DataKeys | undefined): Promise<StoredLog> {
  const store = await SnapshotStore.read(disk, keys);
  const damaged: string[] = [];
  const snapshot = await store.loadNewest(async (error) => void damaged.push(error.message));
  const segments = await readWal(disk, { keys });
  const last = segments.at(-1);
  if (last === undefined) {
    throw new ClusterError("NotFound", `cannot read the log: there is none in ${disk.dir}`);
  }
  const replayed = replayBatches(segments.flatMap(({ batches }) => batches));
  const { stored } = recoverState(replayed, snapshot?.header.meta, { keepEntries: 0, damaged });
  return { raftId: last.header.raftId, snapshot, stored, torn: last.torn, damaged };
}
