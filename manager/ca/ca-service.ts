import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { type NodeId, newId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { CAServer, IssuedCertificate } from "../../proto/gen/ca.ts";
import { type NodeAvailability, NodeRole, type RootCa } from "../../proto/gen/objects.ts";
import { unary } from "../rpc/handlers.ts";
import { peerHost } from "../rpc/peer.ts";
import { createChange } from "../store/changes.ts";
import type { StoredCluster } from "../store/objects.ts";
import type { Proposer } from "../store/proposer.ts";
import type { View } from "../store/tables.ts";
import { getPeer } from "./authorization.ts";
import { issueCertificate, NODE_CERT_VALIDITY_MS } from "./certificates.ts";
import type { NodeIdentity } from "./identity.ts";
import { JoinLimiter } from "./join-limiter.ts";

/** Node certificates hold at least this long, whatever the settings say. */
const VALIDITY_MIN_MS = 60 * 60 * 1000;
const NS_PER_MS = 1e6;

/** What the CA works with. */
export interface CaParts {
  readonly view: () => View;
  readonly proposer: Proposer;
  /** Resolves when this manager leads and has applied all there is. @throws {ClusterError} `Unavailable`. */
  readonly readBarrier: () => Promise<void>;
  /** The CA's certificate as this node has it on disk: it is there before the log is. */
  readonly rootPem: () => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Serves proto/ca.proto. */
export function caService(parts: CaParts): CAServer {
  const limiter = new JoinLimiter();
  return {
    getRootCertificate: unary(async () => ({ certPem: parts.rootPem() })),
    issueCertificate: unary(async ({ csr, token, availability }, call) => {
      limit(limiter, call, parts);
      await parts.readBarrier();
      const cluster = getCluster(parts.view());
      const role = roleOfToken(cluster.rootCa, token);
      if (role === undefined) {
        parts.log.warn("refused a join: wrong secret in the token", { peer: call.getPeer() });
        throw wrongSecret();
      }
      return admit(parts, cluster, { csr, role, availability });
    }),
    renewCertificate: unary(async ({ csr }, call) => {
      const { nodeId } = getPeer(call);
      await parts.readBarrier();
      const node = parts.view().nodes.get(nodeId);
      if (node === undefined) {
        const message = `cannot renew the certificate of node ${nodeId}: it was removed from the swarm`;
        throw new ClusterError("PermissionDenied", message, { details: { nodeId } });
      }
      return issue(parts, getCluster(parts.view()), { csr, nodeId, role: node.role });
    }),
  };
}

/**
 * The role a token gives, by its secret; undefined when it is neither token. Takes as long for either answer.
 */
export function roleOfToken(rootCa: RootCa, token: string): NodeRole | undefined {
  const isManager = equalInConstantTime(token, rootCa.managerToken);
  const isWorker = equalInConstantTime(token, rootCa.workerToken);
  if (isManager) return NodeRole.MANAGER;
  return isWorker ? NodeRole.WORKER : undefined;
}

/** Compares digests, so that neither length nor first difference shows in the time it takes. */
function equalInConstantTime(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text.trim()).digest();
  return timingSafeEqual(digest(a), digest(b)) && b !== "";
}

function limit(limiter: JoinLimiter, call: ServerUnaryCall<unknown, unknown>, parts: CaParts) {
  const peer = peerHost(call.getPeer());
  if (limiter.tryTake(peer, parts.clock.nowMs())) return;
  parts.log.warn("refused a join: too many attempts", { peer });
  throw new ClusterError(
    "ResourceExhausted",
    `too many attempts to join from ${peer}; wait a few seconds and try again`,
  );
}

/** The certificate first: a request that cannot be granted leaves no node behind. */
async function admit(
  parts: CaParts,
  cluster: StoredCluster & { readonly rootCa: RootCa },
  request: { csr: Uint8Array; role: NodeRole; availability: NodeAvailability },
): Promise<IssuedCertificate> {
  const { csr, role, availability } = request;
  const nodeId = newId<NodeId>(parts.random);
  const issued = await issue(parts, cluster, { csr, nodeId, role });
  await parts.proposer.propose([createChange("node", newNode({ nodeId, role, availability }))]);
  parts.log.info("a node joined", { nodeId, role });
  return issued;
}

/** A node nobody has heard of yet; also the first manager's own. */
export function newNode(node: {
  readonly nodeId: string;
  readonly role: NodeRole;
  readonly availability: NodeAvailability;
}) {
  const { nodeId, role, availability } = node;
  return {
    id: nodeId,
    meta: undefined,
    spec: { name: "", labels: {}, role, availability },
    status: undefined,
    role,
    attachments: [],
  };
}

async function issue(
  { clock }: CaParts,
  cluster: StoredCluster & { readonly rootCa: RootCa },
  { csr, nodeId, role }: { csr: Uint8Array; nodeId: string; role: NodeRole },
): Promise<IssuedCertificate> {
  const { certPem: rootPem, keyPem } = cluster.rootCa;
  const identity: NodeIdentity = { nodeId, role, clusterId: cluster.id };
  const asked = cluster.spec.nodeCertExpiryNs / NS_PER_MS;
  const validityMs = asked > 0 ? Math.max(asked, VALIDITY_MIN_MS) : NODE_CERT_VALIDITY_MS;
  const certPem = await issueCertificate({ certPem: rootPem, keyPem }, csr, identity, {
    nowMs: clock.nowMs(),
    validityMs,
  });
  return { nodeId, certPem, rootPem };
}

function getCluster(view: View): StoredCluster & { readonly rootCa: RootCa } {
  const cluster = view.cluster;
  if (cluster?.rootCa === undefined) {
    throw new ClusterError("Unavailable", "the swarm is still being set up; try again");
  }
  return { ...cluster, rootCa: cluster.rootCa };
}

function wrongSecret(): ClusterError {
  return new ClusterError(
    "PermissionDenied",
    "invalid join token: the swarm does not know its secret; it may have been rotated, a manager prints the present one with 'swarm join-token'",
  );
}
