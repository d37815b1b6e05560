// The library needs its decorators' metadata before anything else of it loads; it is used in this module only.
import "reflect-metadata";
import { createPrivateKey, type KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { assert } from "../../core/assert.ts";
import { ClusterError } from "../../core/errors.ts";
import { type NodeIdentity, ROLE_NAMES } from "./identity.ts";

/** What signs certificates: a root of the swarm. */
export interface SigningCa {
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
const HOUR_MS = 60 * 60 * 1000;
/** Certificates hold from this long before they are made: clocks differ. */
export const BACKDATE_MS = HOUR_MS;
/** Below this a CA's RSA key is weak. */
export const RSA_BITS_MIN = 2048;

/** How a kind of key is imported and signs. */
export interface KeyKind {
  readonly key: webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams;
  readonly sign: { readonly name: string; readonly hash: string };
}

const ecKey = (namedCurve: string, hash: string): KeyKind => ({
  key: { name: "ECDSA", namedCurve },
  sign: { name: "ECDSA", hash },
});
const OWN_KEY = ecKey("P-256", "SHA-256");
const RSA_KEY: KeyKind = {
  key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  sign: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};
/** Curves a CA's key may be of, by OpenSSL's names. */
const CURVES: Readonly<Record<string, KeyKind>> = {
  prime256v1: OWN_KEY,
  secp384r1: ecKey("P-384", "SHA-384"),
  secp521r1: ecKey("P-521", "SHA-512"),
};
/** About 20 years. */
const ROOT_VALIDITY_MS = 20 * 365 * 24 * HOUR_MS;
/** Validity of a node's certificate unless the swarm's settings say otherwise. */
export const NODE_CERT_VALIDITY_MS = 90 * 24 * HOUR_MS;
/** Requests past this are refused unread: a P-256 request has some 300 bytes. */
export const CSR_BYTES_MAX = 16 * 1024;

x509.cryptoProvider.set(webcrypto);

/** Makes a root for a swarm. */
export async function newRootCa(nowMs: number): Promise<SigningCa> {
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["swarm-ca"] }],
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_VALIDITY_MS),
    signingAlgorithm: OWN_KEY.sign,
    keys,
    extensions: [
      // One CA below it: itself, signed by its predecessor.
      new x509.BasicConstraintsExtension(true, 1, true),
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
    signingAlgorithm: OWN_KEY.sign,
  });
  return { keyPem: await exportKey(keys.privateKey), csr: Buffer.from(request.rawData) };
}

/**
 * Signs the name and key of `next` by `signer`, so that whoever trusts the one can trust the other.
 *
 * Not valid for longer than either.
 */
export async function crossSign(
  signer: SigningCa,
  next: Pick<SigningCa, "certPem">,
  nowMs: number,
): Promise<string> {
  const [by, of] = [
    new x509.X509Certificate(signer.certPem),
    new x509.X509Certificate(next.certPem),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: of.subjectName,
    issuer: by.subjectName,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(Math.min(by.notAfter.getTime(), of.notAfter.getTime())),
    publicKey: of.publicKey,
    ...(await signingKey(signer)),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      new x509.SubjectKeyIdentifierExtension(await keyIdentifier(of)),
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifier(by)),
    ],
  });
  return toPem(certificate.rawData, "CERTIFICATE");
}

/**
 * Signs a certificate for the key in `csr`. Of the request only the key counts: subject and extensions are ours. It does
 * not outlive the CA.
 *
 * @throws {ClusterError} `InvalidArgument` when the request is no PKCS #10, too large, not signed by its own key, or its
 * key is not ECDSA P-256.
 */
export async function issueCertificate(
  ca: SigningCa,
  csr: Uint8Array,
  identity: NodeIdentity,
  validity: { readonly nowMs: number; readonly validityMs: number },
): Promise<string> {
  const { publicKey } = await parseRequest(csr);
  const issuer = new x509.X509Certificate(ca.certPem);
  const { digitalSignature } = x509.KeyUsageFlags;
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const role = ROLE_NAMES[identity.role];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [identity.nodeId] }, { OU: [role] }, { O: [identity.clusterId] }],
    issuer: issuer.subjectName,
    notBefore: new Date(validity.nowMs - BACKDATE_MS),
    notAfter: new Date(Math.min(validity.nowMs + validity.validityMs, issuer.notAfter.getTime())),
    publicKey,
    ...(await signingKey(ca)),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      // Nodes are known by what they are, not by where they are.
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: role },
        { type: "dns", value: identity.nodeId },
      ]),
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifier(issuer)),
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

/** How a CA of this kind of key signs; undefined when it is too weak, or unknown. */
export function findSigningAlgorithm(key: KeyObject): KeyKind | undefined {
  const { namedCurve = "", modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec") return CURVES[namedCurve];
  return key.asymmetricKeyType === "rsa" && modulusLength >= RSA_BITS_MIN ? RSA_KEY : undefined;
}

/** What a CA signs with, as the library takes it. */
async function signingKey({ keyPem }: SigningCa) {
  const key = createPrivateKey(keyPem);
  const kind = findSigningAlgorithm(key);
  assert(kind !== undefined, "the CA's key was checked when it came");
  const der = key.export({ type: "pkcs8", format: "der" });
  const usable = await webcrypto.subtle.importKey("pkcs8", der, kind.key, false, ["sign"]);
  return { signingKey: usable, signingAlgorithm: kind.sign };
}

/** The name of a CA's key in what it signs: as the CA itself has it, else made of the key. */
async function keyIdentifier(certificate: x509.X509Certificate): Promise<string> {
  const own = certificate.getExtension(x509.SubjectKeyIdentifierExtension);
  return (own ?? (await x509.SubjectKeyIdentifierExtension.create(certificate.publicKey))).keyId;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return toPem(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Ends with a line break, so that texts can be put one after the other. */
function toPem(der: ArrayBuffer, label: string): string {
  return `${x509.PemConverter.encode(der, label)}\n`;
}
