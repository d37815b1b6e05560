import type { BigIntStats } from "node:fs";
import { ClusterError } from "../../../core/errors.ts";
import { findXattrOf } from "../../linux/files.ts";
import type { OpenEntry } from "../../linux/open-directory.ts";

/** How an upper directory of overlayfs says what is not there. Source: Linux, Documentation/filesystems/overlayfs.rst. */

const OPAQUE_XATTR = "trusted.overlay.opaque";
/** With these an upper directory says where the rest of it is: nothing can be told of it without those below. */
const ELSEWHERE_XATTRS = ["trusted.overlay.redirect", "trusted.overlay.metacopy"];

/** The name is gone from the directories below. */
export function isWhiteout(facts: BigIntStats): boolean {
  return facts.isCharacterDevice() && facts.rdev === 0n;
}

/** The directory hides all that those below have in it. */
export function isOpaque({ handle, attributes }: OpenEntry): boolean {
  if (!attributes.includes(OPAQUE_XATTR)) return false;
  return Buffer.from(findXattrOf(handle, OPAQUE_XATTR) ?? []).toString() === "y";
}

/** @throws {ClusterError} FailedPrecondition when a part of the file is in another directory. */
export function refuseElsewhere({ attributes }: OpenEntry, name: string): void {
  const found = ELSEWHERE_XATTRS.find((attribute) => attributes.includes(attribute));
  if (found === undefined) return;
  const shown = Buffer.from(name, "latin1").toString();
  const message = `cannot pack ${shown}: overlayfs keeps a part of it elsewhere (${found})`;
  throw new ClusterError("FailedPrecondition", message);
}
