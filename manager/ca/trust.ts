import { X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { isSignedBy } from "./node-certificate.ts";
import { splitPem } from "./pem.ts";

/**
 * The roots a node trusts after an answer of the CA. A new one is believed when a root trusted so far has signed its name
 * and key, never on a manager's word alone.
 *
 * @param offered the roots in the answer, PEM.
 * @param chain the certificates in the answer: among them the one by which a trusted root vouches for a new one.
 * @returns the offered roots, one text in their order.
 * @throws {ClusterError} `PermissionDenied` when one of them is vouched for by nobody, or there is none.
 */
export function acceptRoots(trusted: string, offered: string, chain: string): string {
  const known = readAll(trusted);
  const vouched = readAll(chain).filter((one) => one.ca && known.some((by) => isSignedBy(one, by)));
  const roots = readAll(offered);
  for (const root of roots) {
    if (known.some((one) => one.raw.equals(root.raw))) continue;
    if (root.ca && isSignedBy(root, root) && vouched.some((one) => isSameCa(one, root))) continue;
    throw notVouchedFor();
  }
  if (roots.length === 0) throw notVouchedFor();
  return roots.map((root) => root.toString()).join("");
}

/** The certificate in a text in the form in which it is compared: Node's own. */
export function normalPem(pem: string): string {
  return new X509Certificate(pem).toString();
}

function isSameCa(one: X509Certificate, root: X509Certificate): boolean {
  return one.subject === root.subject && one.publicKey.equals(root.publicKey);
}

function readAll(pem: string): X509Certificate[] {
  try {
    return splitPem(pem).map((one) => new X509Certificate(one));
  } catch (cause) {
    throw new ClusterError("PermissionDenied", "the CA's answer holds no readable certificate", {
      cause,
    });
  }
}

function notVouchedFor(): ClusterError {
  const message =
    "the manager offers a new CA that the present one has not signed: nothing was changed; if the swarm's CA was really replaced, leave the swarm and join again";
  return new ClusterError("PermissionDenied", message);
}
