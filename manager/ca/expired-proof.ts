import { createPrivateKey, sign, verify, type X509Certificate } from "node:crypto";

/** How far the caller's clock and ours may be apart. */
export const CLOCK_SKEW_MAX_MS = 10 * 60 * 1000;
/** For so long after its end a certificate still gets its node a new one, if the key is the one the node had last. */
export const EXPIRED_GRACE_MS = 7 * 24 * 60 * 60 * 1000;
/** For so long an operator's word lets a node in whose certificate ended before that. */
export const APPROVAL_MS = 60 * 60 * 1000;

/** Keeps a signature made for this from meaning anything elsewhere. */
const CONTEXT = "muster: renew an expired certificate, version 1";

/** What a node signs to get a certificate for the key in `csr`. */
export interface ExpiredProof {
  readonly csr: Uint8Array;
  /** DER of the expired certificate. */
  readonly certificate: Uint8Array;
  readonly atMs: number;
}

/** Signs the proof with the key of the expired certificate. */
export function signProof(proof: ExpiredProof, keyPem: string): Buffer {
  return sign("sha256", proofBytes(proof), createPrivateKey(keyPem));
}

/** Whether the holder of the certificate's key signed just this. */
export function isProven(proof: ExpiredProof, certificate: X509Certificate, signature: Uint8Array) {
  try {
    return verify("sha256", proofBytes(proof), certificate.publicKey, signature);
  } catch {
    // Malformed signatures are as good as wrong ones.
    return false;
  }
}

/** Every part with its length before it, so that no two proofs have the same bytes. */
function proofBytes({ csr, certificate, atMs }: ExpiredProof): Buffer {
  const parts = [Buffer.from(CONTEXT), Buffer.from(String(atMs)), certificate, csr];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
