import type { WireNode, WireTls } from "../../client/wire.ts";

export type TlsStatus = "Ready" | "Needs Rotation" | "Unknown";

/**
 * Whether a node has a certificate of the CA that signs now, and trusts what the swarm trusts.
 *
 * @param wanted the swarm's own.
 * Source: docker/cli, cli/command/node/formatter.go, TLSStatus.
 */
export function tlsStatus({ Description }: WireNode, wanted: WireTls | undefined): TlsStatus {
  const own = Description?.TLSInfo;
  if (own === undefined || wanted === undefined) return "Unknown";
  return isSameIssuer(own, wanted) && own.TrustRoot === wanted.TrustRoot
    ? "Ready"
    : "Needs Rotation";
}

/** Whether two certificates are of one CA. */
export function isSameIssuer(one: WireTls | undefined, other: WireTls | undefined): boolean {
  return (
    one?.CertIssuerPublicKey === other?.CertIssuerPublicKey &&
    one?.CertIssuerSubject === other?.CertIssuerSubject
  );
}
