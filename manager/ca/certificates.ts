// The library needs its decorators' metadata before anything else of it loads; it is used in this module only.
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { ClusterError } from "../../core/errors.ts";
import { type NodeIdentity, ROLE_NAMES } from "./identity.ts";

/** The CA of one swarm. */
export interface RootCa {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

/** A key that never leaves its node, and the request that asks for its certificate. */
export interface CertificateRequest {
  readonly keyPem: string;
  /** PKCS #10, DER. */
  readonly csr: Buffer;
}

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;
const HOUR_MS = 60 * 60 * 1000;
/** Certificates hold from this long before they are made: clocks differ. */
const BACKDATE_MS = HOUR_MS;
/** About 20 years. */
const ROOT_VALIDITY_MS = 20 * 365 * 24 * HOUR_MS;
/** Validity of a node's certificate unless the swarm's settings say otherwise. */
export const NODE_CERT_VALIDITY_MS = 90 * 24 * HOUR_MS;
/** Requests past this are refused unread: a P-256 request has some 300 bytes. */
export const CSR_BYTES_MAX = 16 * 1024;

x509.cryptoProvider.set(webcrypto);

/** Makes the CA of a new swarm. */
export async function newRootCa(nowMs: number): Promise<RootCa> {
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["swarm-ca"] }],
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_VALIDITY_MS),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certPem: toPem(certificate.rawData, "CERTIFICATE"),
    keyPem: await exportKey(keys.privateKey),
  };
}

/** Makes a node's key and the request for its certificate. The subject is empty: the CA decides who one is. */
export async function newCertificateRequest(): Promise<CertificateRequest> {
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
  });
  return { keyPem: await exportKey(keys.privateKey), csr: Buffer.from(request.rawData) };
}

/**
 * Signs a certificate for the key in `csr`. Of the request only the key counts: subject and extensions are ours.
 *
 * @throws {ClusterError} `InvalidArgument` when the request is no PKCS #10, too large, not signed by its own key, or its
 * key is not ECDSA P-256.
 */
export async function issueCertificate(
  root: RootCa,
  csr: Uint8Array,
  identity: NodeIdentity,
  validity: { readonly nowMs: number; readonly validityMs: number },
): Promise<string> {
  const { publicKey } = await parseRequest(csr);
  const rootCertificate = new x509.X509Certificate(root.certPem);
  const { digitalSignature } = x509.KeyUsageFlags;
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const role = ROLE_NAMES[identity.role];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [identity.nodeId] }, { OU: [role] }, { O: [identity.clusterId] }],
    issuer: rootCertificate.subjectName,
    notBefore: new Date(validity.nowMs - BACKDATE_MS),
    notAfter: new Date(validity.nowMs + validity.validityMs),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey,
    signingKey: await importKey(root.keyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      // Nodes are known by what they are, not by where they are.
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: role },
        { type: "dns", value: identity.nodeId },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(rootCertificate.publicKey),
    ],
  });
  return toPem(certificate.rawData, "CERTIFICATE");
}

async function parseRequest(csr: Uint8Array): Promise<x509.Pkcs10CertificateRequest> {
  const refuse = (why: string, cause?: unknown) =>
    new ClusterError("InvalidArgument", `cannot issue a certificate: ${why}`, { cause });
  if (csr.byteLength > CSR_BYTES_MAX) {
    throw refuse(`the request has ${csr.byteLength} bytes, at most ${CSR_BYTES_MAX} are read`);
  }
  let request: x509.Pkcs10CertificateRequest;
  let signed: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
    signed = await request.verify();
  } catch (cause) {
    throw refuse("the request is not a readable PKCS #10", cause);
  }
  const { name, namedCurve } = request.publicKey.algorithm as Partial<webcrypto.EcKeyAlgorithm>;
  if (name !== KEY_ALGORITHM.name || namedCurve !== KEY_ALGORITHM.namedCurve) {
    throw refuse(`its key is ${name ?? "unknown"}, only ECDSA P-256 is accepted`);
  }
  if (!signed) throw refuse("the request is not signed by its own key");
  return request;
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return toPem(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Ends with a line break, so that texts can be put one after the other. */
function toPem(der: ArrayBuffer, label: string): string {
  return `${x509.PemConverter.encode(der, label)}\n`;
}
