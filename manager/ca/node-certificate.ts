import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { findIdentity, type NodeIdentity } from "./identity.ts";

/** All a node needs to prove itself and to judge others. */
export interface NodeCertificate {
  readonly certPem: string;
  /** PKCS #8; never leaves the node. */
  readonly keyPem: string;
  /** The swarm's CA. */
  readonly rootPem: string;
}

/** What a node's certificate says; times are milliseconds since 1970. */
export interface CertificateFacts {
  readonly identity: NodeIdentity;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Reads a node's certificate; checks that the root signed it and that the key is its own. Not: whether it has expired.
 *
 * @throws {ClusterError} `DataLoss` when it is no such certificate.
 */
export function checkNodeCertificate(own: NodeCertificate): CertificateFacts {
  const certificate = readPem(own.certPem, "the node's certificate");
  const root = readPem(own.rootPem, "the CA's certificate");
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) {
    throw unusable("it is not signed by the swarm's CA");
  }
  if (!isKeyOf(certificate, own.keyPem)) throw unusable("its private key does not belong to it");
  const identity = findIdentity(certificate.toLegacyObject().subject);
  if (identity === undefined) throw unusable("its subject names no node of a swarm");
  return {
    identity,
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** A CA's certificate as a joining node pins it. */
export interface RootCertificate {
  /** This one certificate and nothing else: what follows it in the text it was read from is dropped. */
  readonly certPem: string;
  /** SHA-256 of its DER. */
  readonly digest: Uint8Array;
}

/**
 * Reads the first certificate of a text.
 *
 * @throws {ClusterError} `InvalidArgument` when there is none or it is not that of a CA.
 */
export function parseRootCertificate(pem: string): RootCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new ClusterError("InvalidArgument", "cannot read the CA's certificate", { cause });
  }
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) {
    throw new ClusterError("InvalidArgument", "the CA's certificate is not that of a root CA");
  }
  const digest = createHash("sha256").update(certificate.raw).digest();
  return { certPem: certificate.toString(), digest: new Uint8Array(digest) };
}

function readPem(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw unusable(`${what} is unreadable`, cause);
  }
}

function isKeyOf(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch (cause) {
    throw unusable("its private key is unreadable", cause);
  }
}

function unusable(why: string, cause?: unknown): ClusterError {
  const message = `cannot use this node's certificate: ${why}; leave the swarm with --force and join again`;
  return new ClusterError("DataLoss", message, { cause });
}
