import { NodeRole } from "../../proto/gen/objects.ts";

/** Who a verified certificate of the swarm says its holder is. */
export interface NodeIdentity {
  /** Common name. */
  readonly nodeId: string;
  /** Organizational unit. */
  readonly role: NodeRole;
  /** Organization. */
  readonly clusterId: string;
}

/** What certificates call the roles; also a name in them, so that a client can ask for a manager. */
export const ROLE_NAMES: Readonly<Record<NodeRole, string>> = {
  [NodeRole.WORKER]: "swarm-worker",
  [NodeRole.MANAGER]: "swarm-manager",
};

/** A certificate's subject as Node's TLS shows it: several values of one attribute are a list. */
export interface CertificateSubject {
  readonly CN?: unknown;
  readonly OU?: unknown;
  readonly O?: unknown;
}

/** Reads who a subject names; undefined when it is not of the form our CA gives. */
export function findIdentity(subject: CertificateSubject): NodeIdentity | undefined {
  const { CN: nodeId, OU: roleName, O: clusterId } = subject;
  if (typeof nodeId !== "string" || typeof clusterId !== "string") return undefined;
  if (nodeId === "" || clusterId === "") return undefined;
  if (roleName === ROLE_NAMES[NodeRole.MANAGER]) {
    return { nodeId, role: NodeRole.MANAGER, clusterId };
  }
  if (roleName === ROLE_NAMES[NodeRole.WORKER]) return { nodeId, role: NodeRole.WORKER, clusterId };
  return undefined;
}
