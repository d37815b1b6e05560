import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { derSubject } from "../../proto/der-subject.ts";
import type { NodeTls } from "../../proto/gen/objects.ts";
import { findIdentity, type NodeIdentity } from "./identity.ts";
import { splitPem } from "./pem.ts";

/** All a node needs to prove itself and to judge others. */
export interface NodeCertificate {
  /** Its own, then those that lead from it to a root, if any. */
  readonly certPem: string;
  /** PKCS #8; never leaves the node. */
  readonly keyPem: string;
  /** The roots it trusts: the swarm's, and the one it moves to. */
  readonly rootPem: string;
}

/** What a node's certificate says; times are milliseconds since 1970. */
export interface CertificateFacts {
  readonly identity: NodeIdentity;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** What the managers are told of it. */
  readonly tls: NodeTls;
}

/**
 * Reads a node's certificate; checks that it leads to a root and that the key is its own. Not: whether it has expired.
 *
 * @throws {ClusterError} `DataLoss` when it is no such certificate.
 */
export function checkNodeCertificate(own: NodeCertificate): CertificateFacts {
  const { leaf, issuer } = checkChain(own);
  if (!isKeyOf(leaf, own.keyPem)) throw unusable("its private key does not belong to it");
  const identity = findIdentity(leaf.toLegacyObject().subject);
  if (identity === undefined) throw unusable("its subject names no node of a swarm");
  return {
    identity,
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
    tls: { ...issuerFacts(issuer), trustRoot: own.rootPem, keyDigest: keyDigest(leaf) },
  };
}

/**
 * Follows a certificate to one of the roots, whatever the time is.
 *
 * @throws {ClusterError} `DataLoss` when none of them vouches for it.
 */
export function checkChain({ certPem, rootPem }: Pick<NodeCertificate, "certPem" | "rootPem">): {
  readonly leaf: X509Certificate;
  /** Who signed it: a root if one of them did, else the certificate that leads to one. */
  readonly issuer: X509Certificate;
} {
  const [leaf, ...between] = readAll(certPem, "the node's certificate");
  const roots = readAll(rootPem, "the CA's certificate");
  if (leaf === undefined) throw unusable("the node's certificate is unreadable");
  const root = roots.find((one) => isSignedBy(leaf, one));
  if (root !== undefined) return { leaf, issuer: root };
  const issuer = between.find(
    (one) => one.ca && isSignedBy(leaf, one) && roots.some((root) => isSignedBy(one, root)),
  );
  if (issuer !== undefined) return { leaf, issuer };
  throw unusable("it is not signed by the swarm's CA");
}

/** Name and key of a CA, as Docker shows who issued a certificate. */
export function issuerFacts(ca: X509Certificate) {
  const der = ca.publicKey.export({ type: "spki", format: "der" });
  return { issuerSubject: derSubject(ca.raw), issuerPublicKey: der };
}

/** SHA-256 of a certificate's public key, in hex. */
export function keyDigest(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex");
}

/** Whether `ca` signed it; of two CAs with one name the key decides. */
export function isSignedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
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

function readAll(pem: string, what: string): X509Certificate[] {
  try {
    return splitPem(pem).map((one) => new X509Certificate(one));
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
