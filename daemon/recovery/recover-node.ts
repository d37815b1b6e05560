import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import { checkNodeCertificate } from "../../manager/ca/node-certificate.ts";
import { openNodeDisk } from "../../manager/log/disk/node-disk.ts";
import { holdsLog, RAFT_FOLDER } from "../../manager/log/log-folder.ts";
import type { DataKeys } from "../../manager/log/seal/data-key.ts";
import { KeyRing, type KeySet } from "../../manager/log/seal/key-ring.ts";
import { readStoredLog } from "../../manager/log/stored-log.ts";
import { beginLog } from "../../manager/recovery/begin-log.ts";
import {
  type RecoveredSwarm,
  recoverSwarm,
  type SwarmState as StoredSwarm,
  stateOf,
} from "../../manager/recovery/recovered-swarm.ts";
import type { Lock } from "../node/node-file.ts";
import { drawRaftId } from "../node/raft-id.ts";
import type { SwarmFiles, SwarmState } from "../node/swarm-files.ts";

export interface RecoveryParts {
  readonly files: SwarmFiles;
  /** Needed when the node is locked. */
  readonly unlockKey: Uint8Array | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** A survivor's own log, read and not yet changed. */
export interface Survivor {
  readonly nodeId: string;
  readonly state: SwarmState;
  readonly swarm: StoredSwarm;
  /** What its log is sealed with; undefined: it is in clear. */
  readonly keys: DataKeys | undefined;
  /** What its other files are sealed with. */
  readonly lock: Lock | undefined;
  /** What was wrong on its disk and does not hinder. */
  readonly remarks: readonly string[];
}

/**
 * Reads what this node has of its swarm. Its daemon's manager part must not run.
 *
 * @throws {ClusterError} `FailedPrecondition` when it is no manager or its log is gone, `DataLoss` when that is damaged,
 * `Unavailable` or `Unauthenticated` when it is locked and the unlock key is missing or wrong.
 */
export async function readSurvivor({ files, unlockKey }: RecoveryParts): Promise<Survivor> {
  const own = files.load(unlockKey);
  if (own === undefined)
    throw cannot("this node is in no swarm: recover one from a backup instead");
  if (own.state.logKind === "etcd") {
    throw cannot(
      "its state is in etcd, which has its own ways to recover; start musterd as before then",
    );
  }
  const folder = files.logFolder(own.state);
  if (!holdsLog(folder)) {
    throw cannot(
      `there is no manager's log in ${folder}: recover on a node that was a manager, or from a backup`,
    );
  }
  const disk = await openNodeDisk(join(folder, RAFT_FOLDER));
  const keys = own.keys && readOnly(own.keys);
  const { snapshot, stored, torn, damaged } = await readStoredLog(disk, keys);
  const { entries, hardState } = stored;
  return {
    nodeId: checkNodeCertificate(own.certificate).identity.nodeId,
    state: own.state,
    lock: own.lock,
    keys,
    swarm: stateOf({ snapshot, entries, term: hardState.term }),
    remarks: [...(torn === undefined ? [] : [`torn and never acknowledged: ${torn}`]), ...damaged],
  };
}

/**
 * Makes this node the only manager of its swarm. A crash at any step leaves the old log or the new one in force: the
 * new one is written beside it, counts from the moment `state.json` names it, and then takes its place.
 *
 * @param addresses where the node listens and is reached from now on.
 * @returns the folder in which the old log is kept.
 */
export async function recoverNode(
  parts: RecoveryParts,
  { nodeId, state, swarm, keys, lock }: Survivor,
  addresses: Pick<SwarmState, "listenAddr" | "advertiseAddr" | "advertiseInterface">,
): Promise<string> {
  const { files, clock, random } = parts;
  files.finishRecovery();
  const raftId = drawRaftId(random);
  const nowMs = clock.nowMs();
  const recovered = recoverSwarm(
    swarm,
    { nodeId, raftId, addr: addresses.advertiseAddr, lock },
    nowMs,
  );
  const swap = { recovered: "manager.recovered", aside: `manager.before-recover-${nowMs}` };
  await writeLog({ keys, random }, files.prepareRecovery(swap.recovered), { raftId, recovered });
  const { recovery: _done, ...before } = state;
  const next = { ...before, ...addresses, raftId, raftJoined: true, generation: 0 };
  files.saveState({ ...next, recovery: swap });
  files.finishRecovery();
  return join(files.managerFolder, "..", swap.aside);
}

/** A manager's keys where nothing of them changes. */
export function readOnly(keys: KeySet): DataKeys {
  return new KeyRing(keys, () => undefined);
}

/** Resolves when a manager's folder with the recovered log is durable. */
export async function writeLog(
  { keys, random }: { readonly keys: DataKeys | undefined; readonly random: Random },
  folder: string,
  { raftId, recovered }: { readonly raftId: number; readonly recovered: RecoveredSwarm },
): Promise<void> {
  const disk = await openNodeDisk(join(folder, RAFT_FOLDER));
  await beginLog(disk, recovered, { raftId, random, keys });
  await disk.syncDir();
}

function cannot(why: string): ClusterError {
  return new ClusterError("FailedPrecondition", `cannot recover the swarm: ${why}`);
}
