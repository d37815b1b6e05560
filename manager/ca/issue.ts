import { ClusterError } from "../../core/errors.ts";
import type { IssuedCertificate } from "../../proto/gen/ca.ts";
import { type ClusterSpec, NodeRole, type RootCa } from "../../proto/gen/objects.ts";
import type { StoredCluster, StoredNode } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { issueCertificate, NODE_CERT_VALIDITY_MS } from "./certificates.ts";
import { presentIssuer, trustedRoots } from "./rotation/root-rotation.ts";

/** Node certificates hold at least this long, whatever the settings say. */
export const VALIDITY_MIN_MS = 60 * 60 * 1000;
const NS_PER_MS = 1e6;

export type ClusterWithCa = StoredCluster & { readonly rootCa: RootCa };

/** Signs the certificate of a node of this swarm, and says which roots it is to trust. */
export async function issueFor(
  cluster: ClusterWithCa,
  {
    csr,
    nodeId,
    role,
  }: { readonly csr: Uint8Array; readonly nodeId: string; readonly role: NodeRole },
  nowMs: number,
): Promise<IssuedCertificate> {
  const issuer = presentIssuer(cluster.rootCa);
  const identity = { nodeId, role, clusterId: cluster.id };
  const validityMs = certificateLifeMs(cluster.spec);
  const leaf = await issueCertificate(issuer, csr, identity, { nowMs, validityMs });
  return { nodeId, certPem: leaf + issuer.chainPem, rootPem: trustedRoots(cluster.rootCa) };
}

/**
 * Signs a manager's own next certificate, from what its own log holds: for one that nobody would speak to because its
 * certificate has expired. It has the CA's key, so this gives it nothing that it could not do.
 *
 * @throws {ClusterError} `FailedPrecondition` when its log does not know it as a manager.
 */
export async function issueForSelf(
  view: View,
  { csr, nodeId }: { readonly csr: Uint8Array; readonly nodeId: string },
  nowMs: number,
): Promise<IssuedCertificate> {
  const node = view.nodes.get(nodeId);
  if (node === undefined || !isManager(node)) {
    const message =
      "cannot renew this node's certificate by itself: its log does not know it as a manager";
    throw new ClusterError("FailedPrecondition", message, { details: { nodeId } });
  }
  return issueFor(getClusterWithCa(view), { csr, nodeId, role: NodeRole.MANAGER }, nowMs);
}

/** How long node certificates hold by these settings. */
export function certificateLifeMs({
  nodeCertExpiryNs,
}: Pick<ClusterSpec, "nodeCertExpiryNs">): number {
  const asked = nodeCertExpiryNs / NS_PER_MS;
  return asked > 0 ? Math.max(asked, VALIDITY_MIN_MS) : NODE_CERT_VALIDITY_MS;
}

/** @throws {ClusterError} `Unavailable` before the log's beginning has been applied. */
export function getClusterWithCa({ cluster }: View): ClusterWithCa {
  if (cluster?.rootCa !== undefined) return { ...cluster, rootCa: cluster.rootCa };
  throw new ClusterError("Unavailable", "the swarm is still being set up; try again");
}

function isManager({ role, spec }: StoredNode): boolean {
  return role === NodeRole.MANAGER && spec.role === NodeRole.MANAGER;
}
