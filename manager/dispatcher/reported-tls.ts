import type { NodeTls } from "../../proto/gen/objects.ts";

/** Bytes of what a node may report of its certificate; two roots and a name are below 8 KiB. */
export const REPORTED_TLS_BYTES_MAX = 32 * 1024;

/** What a node reports of its certificate, unless there is none or it is too much to keep. */
export function acceptableTls(tls: NodeTls | undefined): NodeTls | undefined {
  if (tls === undefined) return undefined;
  const { trustRoot, keyDigest, issuerSubject, issuerPublicKey } = tls;
  const bytes = trustRoot.length + keyDigest.length + issuerSubject.length + issuerPublicKey.length;
  return bytes > REPORTED_TLS_BYTES_MAX ? undefined : tls;
}
