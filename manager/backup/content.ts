import { ClusterError } from "../../core/errors.ts";
import { RaftSnapshotHeader } from "../../proto/gen/raft.ts";
import type { ReplicatedLog, StateMachine } from "../log/replicated-log.ts";
import { headerFromProto, headerToProto } from "../log/snapshot/snapshot-frame.ts";
import { type SwarmState, stateOf } from "../recovery/recovered-swarm.ts";

/** What a backup is taken from. */
export interface BackupSource {
  readonly replicatedLog: Pick<
    ReplicatedLog,
    "readBarrier" | "leadership" | "members" | "removedIds"
  >;
  readonly stateMachine: Pick<StateMachine, "snapshot">;
  readonly view: () => { readonly index: number };
}

/**
 * The whole state at one index, with everything acknowledged before the call in it: the parts of a backup.
 *
 * Removed raft ids are in it, so that who had one is told so by the recovered swarm too.
 *
 * @throws {ClusterError} `Unavailable` when this manager does not lead.
 */
export async function* backupParts(source: BackupSource): AsyncGenerator<Uint8Array> {
  const { replicatedLog, stateMachine } = source;
  await replicatedLog.readBarrier();
  // All at once, before anything else is applied.
  const parts = [...stateMachine.snapshot()];
  const confState = { voters: [], votersOutgoing: [], learners: [] };
  const { term } = replicatedLog.leadership();
  const header = headerToProto({
    meta: { index: source.view().index, term, confState },
    members: { members: replicatedLog.members(), removed: replicatedLog.removedIds() },
  });
  yield RaftSnapshotHeader.encode(header).finish();
  yield* parts;
}

/** The index a backup was taken at, by its first part. */
export function indexOf(first: Uint8Array): number {
  return headerFromProto(RaftSnapshotHeader.decode(first)).meta.index;
}

/**
 * The state a backup holds. It is read whole, and so checked, before any of it is used.
 *
 * @throws {ClusterError} as its parts; `DataLoss` when they make no state.
 */
export async function stateOfBackup(parts: AsyncIterable<Uint8Array>): Promise<SwarmState> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  const [first, ...rest] = all;
  if (first === undefined) throw new ClusterError("DataLoss", "the backup is empty");
  const header = headerFromProto(RaftSnapshotHeader.decode(first));
  return stateOf({ snapshot: { header, parts: rest }, entries: [], term: header.meta.term });
}
