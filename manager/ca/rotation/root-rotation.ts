import { createHash, X509Certificate } from "node:crypto";
import type { NodeTls, RootCa } from "../../../proto/gen/objects.ts";
import type { SigningCa } from "../certificates.ts";
import { formatJoinToken } from "../join-token.ts";
import { issuerFacts } from "../node-certificate.ts";
import { normalPem } from "../trust.ts";

/*
 * Moving a swarm from one root to another. From the start certificates are signed by the new root, and come with its
 * key signed by the present one: whoever trusts only that can follow. Nodes trust both until every node has a
 * certificate of the new root; then the present one is dropped.
 * Source: swarmkit, ca/server.go and manager/controlapi/ca_rotation.go.
 */

/** What a node's certificate must be for the node to have nothing left to do. */
export type WantedTls = Omit<NodeTls, "keyDigest">;

/** Who signs now, and what goes with each certificate so that every node can follow it to a root it trusts. */
export function presentIssuer(rootCa: RootCa): SigningCa & { readonly chainPem: string } {
  const { rotation, certPem, keyPem } = rootCa;
  if (rotation === undefined) return { certPem, keyPem, chainPem: "" };
  return { certPem: rotation.certPem, keyPem: rotation.keyPem, chainPem: rotation.crossSignedPem };
}

/** The roots nodes are to trust now. */
export function trustedRoots({ certPem, rotation }: RootCa): string {
  return normalPem(certPem) + (rotation === undefined ? "" : normalPem(rotation.certPem));
}

export function wantedTls(rootCa: RootCa): WantedTls {
  const issuer = issuerFacts(new X509Certificate(presentIssuer(rootCa).certPem));
  return { ...issuer, trustRoot: trustedRoots(rootCa) };
}

/** Whether a node has what it should. One that never said what it has is not known to. */
export function hasTls(tls: NodeTls | undefined, wanted: WantedTls): boolean {
  return (
    tls !== undefined &&
    tls.trustRoot === wanted.trustRoot &&
    tls.issuerPublicKey.equals(wanted.issuerPublicKey) &&
    tls.issuerSubject.equals(wanted.issuerSubject)
  );
}

/**
 * The CA at the start of a move to `next`, in place of a move under way if there is one.
 *
 * @param crossSignedPem name and key of `next`, signed by the present root.
 */
export function beginRotation(
  rootCa: RootCa,
  next: SigningCa & { readonly crossSignedPem: string },
  nowMs: number,
): RootCa {
  const { certPem, keyPem, crossSignedPem } = next;
  return { ...rootCa, rotation: { certPem, keyPem, crossSignedPem, startedAtMs: nowMs } };
}

/** The CA at the end of the move: the root is the new one, and so are the tokens, which name it. */
export function finishRotation(rootCa: RootCa, newSecret: () => Uint8Array): RootCa {
  const { rotation } = rootCa;
  if (rotation === undefined) return rootCa;
  const { certPem, keyPem } = rotation;
  return newClusterCa({ certPem, keyPem }, newSecret);
}

/** A CA at rest: root, its digest, and tokens that name it. */
export function newClusterCa({ certPem, keyPem }: SigningCa, newSecret: () => Uint8Array): RootCa {
  const digest = createHash("sha256").update(new X509Certificate(certPem).raw).digest();
  const token = () => formatJoinToken(digest, newSecret());
  return {
    certPem: normalPem(certPem),
    keyPem,
    digest: `sha256:${digest.toString("hex")}`,
    workerToken: token(),
    managerToken: token(),
  };
}
