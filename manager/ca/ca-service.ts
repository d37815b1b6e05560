import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { type NodeId, newId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type {
  CAServer,
  IssueCertificateRequest,
  IssuedCertificate,
  RenewExpiredRequest,
} from "../../proto/gen/ca.ts";
import { NodeAvailability, NodeRole, type RootCa } from "../../proto/gen/objects.ts";
import { unary } from "../rpc/handlers.ts";
import { JOIN_RATE } from "../rpc/limits.ts";
import { peerHost, peerNetwork } from "../rpc/peer.ts";
import { RateLimiter } from "../rpc/rate-limiter.ts";
import { RefusalLog } from "../rpc/refusal-log.ts";
import { createChange } from "../store/changes.ts";
import type { Proposer } from "../store/proposer.ts";
import type { View } from "../store/tables.ts";
import { getPeer } from "./authorization.ts";
import { nodeOfExpired } from "./expired-renewal.ts";
import { getClusterWithCa, issueFor } from "./issue.ts";

/** What the CA works with. */
export interface CaParts {
  readonly view: () => View;
  readonly proposer: Proposer;
  /** Resolves when this manager leads and has applied all there is. @throws {ClusterError} `Unavailable`. */
  readonly readBarrier: () => Promise<void>;
  /** The CA's certificates as this node has them on disk: they are there before the log is. */
  readonly rootPem: () => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

type AnyCall = ServerUnaryCall<unknown, unknown>;

/** Serves proto/ca.proto. */
export function caService(parts: CaParts): CAServer {
  const service = new CertificateAuthority(parts);
  return {
    getRootCertificate: unary(async () => ({ certPem: parts.rootPem() })),
    issueCertificate: unary((request, call) =>
      service.answer("a join", call, () => service.admit(request, call)),
    ),
    renewCertificate: unary((request, call) =>
      service.answer("a renewal", call, () => service.renew(request.csr, call)),
    ),
    renewExpired: unary((request, call) =>
      service.answer("the renewal of an expired certificate", call, () =>
        service.renewExpired(request, call),
      ),
    ),
  };
}

class CertificateAuthority {
  readonly #parts: CaParts;
  readonly #limiter = new RateLimiter(JOIN_RATE);
  readonly #refusals: RefusalLog;

  constructor(parts: CaParts) {
    this.#parts = parts;
    this.#refusals = new RefusalLog(parts.log, parts.clock);
  }

  /** Answers; a refusal is logged with its peer. That this manager does not lead is none. */
  async answer(
    what: string,
    call: AnyCall,
    work: () => Promise<IssuedCertificate>,
  ): Promise<IssuedCertificate> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ClusterError && error.code !== "Unavailable") {
        const fields = { peer: call.getPeer(), code: error.code, reason: error.message };
        this.#refusals.warn(`refused ${what}`, { ...fields, ...error.details });
      }
      throw error;
    }
  }

  /** The certificate first: a request that cannot be granted leaves no node behind. */
  async admit(request: IssueCertificateRequest, call: AnyCall): Promise<IssuedCertificate> {
    const { csr, token, availability } = request;
    this.#limit(call, peerNetwork(peerHost(call.getPeer())));
    checkAvailability(availability);
    await this.#parts.readBarrier();
    const cluster = getClusterWithCa(this.#parts.view());
    const role = roleOfToken(cluster.rootCa, token);
    if (role === undefined) throw wrongSecret();
    const nodeId = newId<NodeId>(this.#parts.random);
    const issued = await issueFor(cluster, { csr, nodeId, role }, this.#parts.clock.nowMs());
    await this.#parts.proposer.propose([
      createChange("node", newNode({ nodeId, role, availability })),
    ]);
    this.#parts.log.info("a node joined", { nodeId, role, peer: call.getPeer() });
    return issued;
  }

  async renew(csr: Uint8Array, call: AnyCall): Promise<IssuedCertificate> {
    const { nodeId } = getPeer(call);
    this.#limit(call, `node ${nodeId}`);
    await this.#parts.readBarrier();
    const view = this.#parts.view();
    const node = view.nodes.get(nodeId);
    if (node === undefined) {
      const message = `cannot renew the certificate of node ${nodeId}: it was removed from the swarm`;
      throw new ClusterError("PermissionDenied", message, { details: { nodeId } });
    }
    const request = { csr, nodeId, role: node.role };
    return issueFor(getClusterWithCa(view), request, this.#parts.clock.nowMs());
  }

  async renewExpired(request: RenewExpiredRequest, call: AnyCall): Promise<IssuedCertificate> {
    this.#limit(call, peerNetwork(peerHost(call.getPeer())));
    await this.#parts.readBarrier();
    const [view, nowMs] = [this.#parts.view(), this.#parts.clock.nowMs()];
    const { id: nodeId, role } = nodeOfExpired(view, request, nowMs);
    const wanted = { csr: request.csr, nodeId, role };
    const issued = await issueFor(getClusterWithCa(view), wanted, nowMs);
    this.#parts.log.info("renewed an expired certificate", { nodeId, peer: call.getPeer() });
    return issued;
  }

  /** @param who shares what is left: a network of strangers, or a node. */
  #limit(call: AnyCall, who: string): void {
    const waitMs = this.#limiter.take(who, this.#parts.clock.monotonicMs());
    if (waitMs === 0) return;
    const peer = peerHost(call.getPeer());
    const message = `too many requests for a certificate from ${peer}: try again in ${Math.ceil(waitMs / 1000)} s`;
    throw new ClusterError("ResourceExhausted", message, { details: { waitMs } });
  }
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

/** What a newer version may know and this one does not must not become something else. */
function checkAvailability(availability: NodeAvailability): void {
  if (Object.values(NodeAvailability).includes(availability)) return;
  throw new ClusterError("InvalidArgument", `cannot join: unknown availability ${availability}`);
}

function wrongSecret(): ClusterError {
  return new ClusterError(
    "PermissionDenied",
    "invalid join token: the swarm does not know its secret; it may have been rotated, a manager prints the present one with 'swarm join-token'",
  );
}
