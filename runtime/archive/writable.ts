import { ClusterError } from "../../core/errors.ts";
import type { MountConfig } from "../container/types.ts";
import { cleanPath } from "./archive-path.ts";

/**
 * Refuses to write to a directory that the container itself may not write to, and to one in memory: what is written there
 * would be below it, where nobody sees it.
 *
 * @param path real path in the container.
 * @throws {ClusterError} PermissionDenied with Docker's words; FailedPrecondition.
 */
export function refuseReadOnly(
  {
    mounts,
    readOnlyRootfs,
  }: {
    readonly mounts: readonly Pick<MountConfig, "type" | "target" | "readOnly">[];
    readonly readOnlyRootfs: boolean;
  },
  path: string,
): void {
  const around = mounts
    .map((mount) => ({ ...mount, target: cleanPath(mount.target) }))
    .filter(({ target }) => path === target || path.startsWith(`${target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0];
  if (around?.type === "tmpfs")
    throw new ClusterError(
      "FailedPrecondition",
      `cannot copy to ${path}: it is in memory (tmpfs at ${around.target})`,
    );
  if (around?.readOnly === true)
    throw new ClusterError("PermissionDenied", "mounted volume is marked read-only");
  if (around === undefined && readOnlyRootfs)
    throw new ClusterError("PermissionDenied", "container rootfs is marked read-only");
}
