import type { X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import type { RenewExpiredRequest } from "../../proto/gen/ca.ts";
import type { StoredNode } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { CLOCK_SKEW_MAX_MS, EXPIRED_GRACE_MS, isProven } from "./expired-proof.ts";
import { findIdentity } from "./identity.ts";
import { getClusterWithCa } from "./issue.ts";
import { checkChain, keyDigest } from "./node-certificate.ts";
import { trustedRoots } from "./rotation/root-rotation.ts";

/** Longest certificate read, with those that lead to its root. */
export const EXPIRED_PEM_BYTES_MAX = 16 * 1024;

/**
 * Finds the node that may have a new certificate by an expired one: it proves to hold the key, the swarm still knows the
 * node by this key, and the certificate ended not long ago or the node's operator has vouched for it.
 *
 * @throws {ClusterError} `PermissionDenied`, and `FailedPrecondition` when an operator's word is all that is missing.
 */
export function nodeOfExpired(view: View, request: RenewExpiredRequest, nowMs: number): StoredNode {
  const cluster = getClusterWithCa(view);
  if (request.certPem.length > EXPIRED_PEM_BYTES_MAX) throw refusal("the certificate is too large");
  const leaf = findLeaf(request.certPem, trustedRoots(cluster.rootCa));
  const identity = leaf && findIdentity(leaf.toLegacyObject().subject);
  if (leaf === undefined || identity?.clusterId !== cluster.id) {
    throw refusal("the expired one is not of this swarm");
  }
  checkProof(request, leaf, nowMs);
  const { nodeId } = identity;
  const node = view.nodes.get(nodeId);
  if (node === undefined) throw refusal(`node ${nodeId} was removed from the swarm`);
  if (node.tls?.keyDigest !== keyDigest(leaf)) {
    throw refusal(
      `node ${nodeId} had another certificate since: this one was replaced; if this is that node, leave the swarm here and join again`,
    );
  }
  checkGrace(node, Date.parse(leaf.validTo), nowMs);
  return node;
}

function findLeaf(certPem: string, rootPem: string): X509Certificate | undefined {
  try {
    return checkChain({ certPem, rootPem }).leaf;
  } catch (error) {
    if (error instanceof ClusterError) return undefined;
    throw error;
  }
}

function checkProof(request: RenewExpiredRequest, leaf: X509Certificate, nowMs: number): void {
  const { csr, atMs, signature } = request;
  if (!isProven({ csr, certificate: leaf.raw, atMs }, leaf, signature)) {
    throw refusal("the caller does not prove to hold its key");
  }
  if (Math.abs(nowMs - atMs) > CLOCK_SKEW_MAX_MS) {
    const [theirs, ours] = [new Date(atMs).toISOString(), new Date(nowMs).toISOString()];
    throw refusal(`the node's clock says ${theirs}, the manager's ${ours}: put them right`);
  }
}

function checkGrace(node: StoredNode, endedMs: number, nowMs: number): void {
  if (nowMs <= endedMs + EXPIRED_GRACE_MS) return;
  if (nowMs <= (node.renewalApprovedUntilMs ?? 0)) return;
  const ended = new Date(endedMs).toISOString();
  throw new ClusterError(
    "FailedPrecondition",
    `the certificate of node ${node.id} expired on ${ended}, too long ago: run 'muster node approve ${node.id}' on a manager, or leave the swarm here and join again`,
    { details: { nodeId: node.id } },
  );
}

function refusal(why: string): ClusterError {
  return new ClusterError("PermissionDenied", `cannot renew an expired certificate: ${why}`);
}
