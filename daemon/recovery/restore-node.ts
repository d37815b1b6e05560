import { ClusterError } from "../../core/errors.ts";
import { type NodeId, newId } from "../../core/ids.ts";
import { issueCertificate, newCertificateRequest } from "../../manager/ca/certificates.ts";
import { newKeySet } from "../../manager/log/seal/key-ring.ts";
import {
  recoverSwarm,
  type SwarmState as StoredSwarm,
} from "../../manager/recovery/recovered-swarm.ts";
import { NodeAvailability, NodeRole } from "../../proto/gen/objects.ts";
import { drawRaftId } from "../node/raft-id.ts";
import type { SwarmState } from "../node/swarm-files.ts";
import { type RecoveryParts, readOnly, writeLog } from "./recover-node.ts";

const NS_PER_MS = 1e6;

/**
 * Makes a node that is in no swarm the only manager of a backup's, under an identity of its own. The certificate is
 * written last: until then the node is in no swarm, whatever is left of a try that was cut off.
 *
 * Were the backup's managers locked, so is this one, under the key of then.
 *
 * @param swarm is used up.
 * @returns the node's id, and what its files are sealed with, if they are.
 */
export async function restoreNode(
  parts: Omit<RecoveryParts, "unlockKey">,
  swarm: StoredSwarm,
  addresses: Pick<SwarmState, "listenAddr" | "advertiseAddr" | "advertiseInterface">,
): Promise<{ readonly nodeId: string; readonly unlockKey: Uint8Array | undefined }> {
  const { files, random, clock } = parts;
  const { cluster } = swarm.store.view();
  if (cluster?.rootCa === undefined) {
    throw new ClusterError("DataLoss", "cannot restore the swarm: the backup holds none");
  }
  const [nodeId, raftId, nowMs] = [newId<NodeId>(random), drawRaftId(random), clock.nowMs()];
  const { rootCa, unlockKey: lock } = cluster;
  const { keyPem, csr } = await newCertificateRequest();
  const identity = { nodeId, clusterId: cluster.id, role: NodeRole.MANAGER };
  const validityMs = cluster.spec.nodeCertExpiryNs / NS_PER_MS;
  const certPem = await issueCertificate(rootCa, csr, identity, { nowMs, validityMs });
  const addr = addresses.advertiseAddr;
  const self = { nodeId, raftId, addr, joins: NodeAvailability.ACTIVE };
  const recovered = recoverSwarm(swarm, self, nowMs);
  files.removeAll();
  const keys = newKeySet(false);
  await writeLog({ keys: readOnly(keys), random }, files.managerFolder, { raftId, recovered });
  files.saveState({ ...addresses, managers: [addr], raftId, raftJoined: true, logKind: "raft" });
  files.saveOwn({ certificate: { certPem, keyPem, rootPem: rootCa.certPem }, keys, lock });
  return { nodeId, unlockKey: lock?.key };
}
