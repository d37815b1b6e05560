import type { Random } from "../../core/random.ts";
import type { LogDisk } from "../log/disk/log-disk.ts";
import type { DataKeys } from "../log/seal/data-key.ts";
import { SnapshotStore } from "../log/snapshot/snapshot-store.ts";
import { openWal } from "../log/wal/wal.ts";
import type { RecoveredSwarm } from "./recovered-swarm.ts";

/**
 * Writes the log of a recovered swarm; resolves when it is durable. A manager opens it as one it has had before.
 *
 * @param disk empty.
 * @param options.keys what it is sealed with; undefined: it is in clear.
 */
export async function beginLog(
  disk: LogDisk,
  { header, parts }: RecoveredSwarm,
  options: {
    readonly raftId: number;
    readonly random: Random;
    readonly keys: DataKeys | undefined;
  },
): Promise<void> {
  const store = await SnapshotStore.open(disk, options.keys);
  const snapshot = await store.begin(header);
  for (const part of parts) await snapshot.add(part);
  await snapshot.commit();
  const { index, term } = header.meta;
  const { wal } = await openWal(disk, options);
  const hardState = { term, vote: 0, commit: index };
  await wal.append({ hardState, restart: { index, term }, entries: [] });
  await wal.close();
}
