import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { findSigningAlgorithm, RSA_BITS_MIN, type SigningCa } from "./certificates.ts";
import { splitPem } from "./pem.ts";
import { normalPem } from "./trust.ts";

/** Longest text read as a certificate or a key: one of either has under 8 KiB. */
export const GIVEN_PEM_BYTES_MAX = 64 * 1024;

/**
 * Reads a root and its key as a user gives them.
 *
 * @param minValidityMs it must hold for at least as long as the certificates it is to sign.
 * @throws {ClusterError} `InvalidArgument` saying what is wrong with it; never repeats the key.
 */
export function parseGivenRoot(
  given: { readonly certPem: string; readonly keyPem: string },
  time: { readonly nowMs: number; readonly minValidityMs: number },
): SigningCa {
  const { certPem, keyPem } = given;
  if (keyPem === "") throw refusal("its key must be given with it");
  if (certPem === "") throw refusal("a key was given without its certificate");
  if (certPem.length + keyPem.length > GIVEN_PEM_BYTES_MAX) throw refusal("it is too large");
  const root = readRoot(certPem);
  const key = readKey(keyPem);
  if (!root.checkPrivateKey(key)) throw refusal("the key is not the certificate's");
  if (findSigningAlgorithm(key) === undefined) {
    throw refusal(
      `its key is too weak or of an unknown kind: use ECDSA P-256, P-384 or P-521, or RSA with at least ${RSA_BITS_MIN} bits`,
    );
  }
  checkTime(root, time);
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" });
  return { certPem: normalPem(certPem), keyPem: pkcs8.toString() };
}

function readRoot(pem: string): X509Certificate {
  const [first, ...more] = splitPem(pem);
  if (first === undefined) throw refusal("it holds no certificate in PEM");
  if (more.length > 0) throw refusal("it holds several certificates: give the root alone");
  let root: X509Certificate;
  try {
    root = new X509Certificate(first);
  } catch (cause) {
    throw refusal("its certificate is unreadable", cause);
  }
  if (!root.ca) throw refusal("its certificate is not that of a CA");
  if (!root.checkIssued(root) || !root.verify(root.publicKey)) {
    throw refusal("its certificate is not a root: another CA has signed it");
  }
  return root;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw refusal("its key is unreadable: give a private key in PEM without a password", cause);
  }
}

function checkTime(
  root: X509Certificate,
  { nowMs, minValidityMs }: { readonly nowMs: number; readonly minValidityMs: number },
): void {
  if (Date.parse(root.validFrom) > nowMs) throw refusal(`it is not valid before ${root.validFrom}`);
  const leftMs = Date.parse(root.validTo) - nowMs;
  if (leftMs <= 0) throw refusal(`it expired on ${root.validTo}`);
  if (leftMs < minValidityMs) {
    throw refusal(`it expires on ${root.validTo}, before the certificates it is to sign`);
  }
}

function refusal(why: string, cause?: unknown): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the given CA: ${why}`, { cause });
}
