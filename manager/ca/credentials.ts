import { ChannelCredentials, type ChannelOptions, experimental } from "@grpc/grpc-js";
import { NodeRole } from "../../proto/gen/objects.ts";
import type { IdentityChange, ServerIdentity } from "../rpc/front.ts";
import { findIdentity, type NodeIdentity, ROLE_NAMES } from "./identity.ts";
import {
  type CertificateFacts,
  checkNodeCertificate,
  type NodeCertificate,
} from "./node-certificate.ts";
import { splitPem } from "./pem.ts";

/** The name a manager's certificate must have, whatever address it was reached at. */
export const MANAGER_CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.ssl_target_name_override": ROLE_NAMES[NodeRole.MANAGER],
};

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/**
 * A node's certificate as gRPC takes it. After `replace`, new connections use the new one; those that stand stay.
 *
 * Servers made from it ask for a client's certificate without requiring one: who may call what is the authorization
 * interceptor's to say. Channels made from it accept managers of this swarm only.
 */
export class NodeCredentials {
  #current: NodeCertificate;
  #facts: CertificateFacts;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #serverListeners = new Set<(change: IdentityChange) => void>();
  readonly #provider: experimental.CertificateProvider;

  /** @throws {ClusterError} `DataLoss` when the certificate is not the swarm's or not the key's. */
  constructor(certificate: NodeCertificate) {
    this.#facts = checkNodeCertificate(certificate);
    this.#current = certificate;
    // A listener is told what there is once it is registered: gRPC loses what it hears before.
    this.#provider = {
      addCaCertificateListener: (listener) => {
        this.#caListeners.add(listener);
        queueMicrotask(() => listener(caUpdate(this.#current)));
      },
      removeCaCertificateListener: (listener) => void this.#caListeners.delete(listener),
      addIdentityCertificateListener: (listener) => {
        this.#identityListeners.add(listener);
        queueMicrotask(() => listener(identityUpdate(this.#current)));
      },
      removeIdentityCertificateListener: (listener) =>
        void this.#identityListeners.delete(listener),
    };
  }

  /** Who this node is. */
  get identity(): NodeIdentity {
    return this.#facts.identity;
  }

  get facts(): CertificateFacts {
    return this.#facts;
  }

  get certificate(): NodeCertificate {
    return this.#current;
  }

  /** Takes a renewed certificate into use. @throws {ClusterError} `DataLoss` as the constructor; the old one stays. */
  replace(certificate: NodeCertificate): void {
    this.#facts = checkNodeCertificate(certificate);
    const { rootPem: before } = this.#current;
    this.#current = certificate;
    for (const listener of this.#caListeners) listener(caUpdate(certificate));
    for (const listener of this.#identityListeners) listener(identityUpdate(certificate));
    const rootGivenUp = splitPem(before).some((root) => !certificate.rootPem.includes(root));
    for (const listener of this.#serverListeners) listener({ rootGivenUp });
  }

  /** For the one server of a manager. */
  server(): ServerIdentity {
    return {
      current: () => this.#current,
      onReplaced: (listener) => {
        this.#serverListeners.add(listener);
        return () => void this.#serverListeners.delete(listener);
      },
      nodeIdOf: (subject) => findIdentity(subject)?.nodeId,
    };
  }

  /** For a channel to just the manager named; empty: to any. To be used with MANAGER_CHANNEL_OPTIONS. */
  toManager(nodeId = ""): ChannelCredentials {
    return experimental.createCertificateProviderChannelCredentials(
      this.#provider,
      this.#provider,
      {
        checkServerIdentity: (_name, peer) => refuseUnless(peer.subject, this.identity, nodeId),
      },
    );
  }
}

/** For a node without a certificate: the server must be a manager with a certificate of this CA. */
export function anonymousToManager(rootPem: string): ChannelCredentials {
  return ChannelCredentials.createSsl(Buffer.from(rootPem));
}

/** For the very first call: whoever answers. Nothing secret may be sent, nothing received may be believed. */
export function anonymousToAnyone(): ChannelCredentials {
  return ChannelCredentials.createSsl(null, null, null, { rejectUnauthorized: false });
}

/** The chain is verified already; this says whether its holder is the one we want to talk to. */
function refuseUnless(
  subject: Parameters<typeof findIdentity>[0],
  own: NodeIdentity,
  nodeId: string,
): Error | undefined {
  const peer = findIdentity(subject);
  if (peer === undefined || peer.clusterId !== own.clusterId) {
    return new Error("the server's certificate is not of this swarm");
  }
  if (peer.role !== NodeRole.MANAGER) {
    return new Error(`the server ${peer.nodeId} is not a manager`);
  }
  if (nodeId !== "" && peer.nodeId !== nodeId) {
    return new Error(`the server is ${peer.nodeId}, expected ${nodeId}`);
  }
  return undefined;
}

function caUpdate({ rootPem }: NodeCertificate): experimental.CaCertificateUpdate {
  return { caCertificate: Buffer.from(rootPem) };
}

function identityUpdate({
  certPem,
  keyPem,
}: NodeCertificate): experimental.IdentityCertificateUpdate {
  return { certificate: Buffer.from(certPem), privateKey: Buffer.from(keyPem) };
}
