import { ClusterError } from "../../core/errors.ts";
import { type NodeId, newId } from "../../core/ids.ts";
import { issueCertificate, newCertificateRequest } from "../../manager/ca/certificates.ts";
import {
  recoverSwarm,
  type SwarmState as StoredSwarm,
} from "../../manager/recovery/recovered-swarm.ts";
import { NodeAvailability, NodeRole } from "../../proto/gen/objects.ts";
import { drawRaftId } from "../node/raft-id.ts";
import type { SwarmState } from "../node/swarm-files.ts";
import { type RecoveryParts, writeLog } from "./recover-node.ts";

const NS_PER_MS = 1e6;

/**
 * Makes a node that is in no swarm the only manager of a backup's, under an identity of its own. The certificate is
 * written last: until then the node is in no swarm, whatever is left of a try that was cut off.
 *
 * @param swarm is used up.
 * @returns the node's id.
 */
export async function restoreNode(
  parts: RecoveryParts,
  swarm: StoredSwarm,
  addresses: Pick<SwarmState, "listenAddr" | "advertiseAddr" | "advertiseInterface">,
): Promise<string> {
  const { files, random, clock } = parts;
  const { cluster } = swarm.store.view();
  if (cluster?.rootCa === undefined) {
    throw new ClusterError("DataLoss", "cannot restore the swarm: the backup holds none");
  }
  const [nodeId, raftId, nowMs] = [newId<NodeId>(random), drawRaftId(random), clock.nowMs()];
  const { rootCa } = cluster;
  const { keyPem, csr } = await newCertificateRequest();
  const identity = { nodeId, clusterId: cluster.id, role: NodeRole.MANAGER };
  const validityMs = cluster.spec.nodeCertExpiryNs / NS_PER_MS;
  const certPem = await issueCertificate(rootCa, csr, identity, { nowMs, validityMs });
  const addr = addresses.advertiseAddr;
  const self = { nodeId, raftId, addr, joins: NodeAvailability.ACTIVE };
  const recovered = recoverSwarm(swarm, self, nowMs);
  files.removeAll();
  await writeLog(parts, files.managerFolder, { raftId, recovered });
  files.saveState({ ...addresses, managers: [addr], raftId, raftJoined: true, logKind: "raft" });
  files.saveCertificate({ certPem, keyPem, rootPem: rootCa.certPem });
  return nodeId;
}
