import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from "@grpc/grpc-js";
import { assert } from "../../core/assert.ts";
import { ClusterError } from "../../core/errors.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { rpcError } from "../../proto/rpc-status.ts";
import { findIdentity, type NodeIdentity, ROLE_NAMES } from "./identity.ts";

/** Who may call: anyone at all, or holders of a certificate of this swarm in one of these roles. */
type Allowed = "anyone" | readonly NodeRole[];

const NODES: Allowed = [NodeRole.WORKER, NodeRole.MANAGER];
const MANAGERS: Allowed = [NodeRole.MANAGER];

/** By method or by whole service. What is not here is refused. */
const ALLOWED: ReadonlyMap<string, Allowed> = new Map<string, Allowed>([
  ["/muster.CA/GetRootCertificate", "anyone"],
  ["/muster.CA/IssueCertificate", "anyone"],
  ["/muster.CA/RenewCertificate", NODES],
  // The certificate is in the request, with a proof: TLS takes no expired one.
  ["/muster.CA/RenewExpired", "anyone"],
  ["/muster.Dispatcher", NODES],
  ["/muster.Membership/JoinManagers", MANAGERS],
  ["/muster.Membership/Leave", NODES],
  ["/muster.Control", MANAGERS],
  ["/muster.Raft", MANAGERS],
]);

/** Methods by which a manager that lags behind catches up: what it believes of other nodes may be long out of date. */
const TRUSTS_CERTIFICATE_ALONE = "/muster.Raft";

/** What the managers know of a node now, which may be newer than its certificate. */
export type CurrentRole = (nodeId: string) => NodeRole | "removed" | "unknown";

/** Anything that knows whose connection it came over: a call, on the server. */
export interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly subject: object } };
}

/** The peer's verified identity; undefined without a certificate of our CA. */
export function findPeer(call: AuthenticatedCall): NodeIdentity | undefined {
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate === undefined ? undefined : findIdentity(certificate.subject);
}

/** The peer of a method that is not open to anyone: the interceptor let it through. */
export function getPeer(call: AuthenticatedCall): NodeIdentity {
  const peer = findPeer(call);
  assert(peer !== undefined, "a call without a verified certificate passed the interceptor");
  return peer;
}

/**
 * Decides whether `peer` may call the method at `path` (`/package.Service/Method`).
 *
 * @throws {ClusterError} `Unauthenticated` without a certificate of this swarm, `PermissionDenied` with the wrong role.
 */
export function authorize(
  path: string,
  peer: NodeIdentity | undefined,
  own: { readonly clusterId: string; readonly currentRole: CurrentRole },
): void {
  const service = path.slice(0, path.lastIndexOf("/"));
  const allowed = ALLOWED.get(path) ?? ALLOWED.get(service);
  if (allowed === undefined) {
    throw new ClusterError("PermissionDenied", `cannot call ${path}: it is open to nobody`);
  }
  if (allowed === "anyone") return;
  if (peer === undefined) {
    const message = `cannot call ${path}: the caller shows no valid certificate of this swarm`;
    throw new ClusterError("Unauthenticated", message);
  }
  const refuse = (why: string): never => {
    const details = { nodeId: peer.nodeId };
    throw new ClusterError("PermissionDenied", `node ${peer.nodeId} may not call ${path}: ${why}`, {
      details,
    });
  };
  if (peer.clusterId !== own.clusterId) refuse("its certificate is of another swarm");
  if (!allowed.includes(peer.role)) refuse(`its role is ${ROLE_NAMES[peer.role]}`);
  if (service === TRUSTS_CERTIFICATE_ALONE) return;
  const current = own.currentRole(peer.nodeId);
  if (current === "removed")
    refuse("it was removed from the swarm; leave with --force and join again");
  // A manager being demoted keeps its certificate until it has the new one: what a worker may, it still may.
  if (current === NodeRole.WORKER && !allowed.includes(current)) refuse("it was demoted");
}

/** Refuses every call `authorize` refuses, before its handler sees it. */
export function authorizationInterceptor(
  own: Parameters<typeof authorize>[2],
  onRefused: (error: ClusterError, peerAddr: string) => void,
): ServerInterceptor {
  return (method, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        try {
          authorize(method.path, findPeer(call), own);
        } catch (error) {
          if (error instanceof ClusterError) onRefused(error, call.getPeer());
          call.sendStatus(rpcError(error));
          return;
        }
        next(metadata);
      })
      .build();
    return new ServerInterceptingCall(
      call,
      new ResponderBuilder().withStart((next) => next(listener)).build(),
    );
  };
}
