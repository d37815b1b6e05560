import { ClusterError } from "../../core/errors.ts";
import type { MountConfig } from "./types.ts";

/**
 * How mounts go between the host and a bind of a container. One that has the daemon's directory in it, or a part of it, must
 * not hold the root file systems of other containers when they are unmounted: it follows the host, as in Docker.
 *
 * @throws {ClusterError} InvalidArgument for what would hold them. Docker's words.
 * Source: moby, daemon/volumes_linux.go, validateBindDaemonRoot.
 */
export function propagationOf(
  { source, propagation }: Pick<MountConfig, "source" | "propagation">,
  dataRoot: string,
): string {
  if (!isOverDataRoot(source, dataRoot)) return propagation;
  if (propagation === "") return "rslave";
  if (propagation === "rslave" || propagation === "rshared") return propagation;
  throw new ClusterError(
    "InvalidArgument",
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: ${JSON.stringify(dataRoot)}, bind mount source: ${JSON.stringify(source)}, propagation: ${JSON.stringify(propagation)}`,
  );
}

/** One of the two is in the other. */
export function isOverDataRoot(source: string, dataRoot: string): boolean {
  return isIn(source, dataRoot) || isIn(dataRoot, source);
}

function isIn(path: string, directory: string): boolean {
  const top = directory.replace(/\/+$/, "");
  return path === top || path.startsWith(`${top}/`);
}
