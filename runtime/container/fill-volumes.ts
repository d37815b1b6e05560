import { readdirSync } from "node:fs";
import type { Rootfs } from "../image/types.ts";
import { maybePopulate } from "../volume/populate.ts";
import type { ContainerHost } from "./container-run.ts";
import type { ContainerId, ResolvedMount } from "./types.ts";

/**
 * Gives the volumes of a new container what the image has where they are mounted; those that have something keep it.
 *
 * Once, at its creation: a volume that a container has emptied stays empty. The root file system must be mounted.
 *
 * @throws {ClusterError} Internal when a copy or the mount of a volume fails.
 */
export async function fillVolumes(
  id: ContainerId,
  mounts: readonly ResolvedMount[],
  rootfs: Rootfs,
  host: Pick<ContainerHost, "volumes" | "clock">,
): Promise<void> {
  for (const { source, hostPath, target } of mounts.filter((mount) => wantsContent(mount, host)))
    await host.volumes.whileMounted(source, id, () =>
      maybePopulate(hostPath, target, rootfs.merged, host.clock),
    );
}

/** One with options may be empty only because nothing is mounted there yet. */
function wantsContent(
  { type, noCopy, source, hostPath, subpath }: ResolvedMount,
  { volumes }: Pick<ContainerHost, "volumes">,
): boolean {
  // A part of a volume is somebody's work already.
  if (type !== "volume" || noCopy || subpath !== undefined) return false;
  const hasOptions = Object.keys(volumes.get(source).options).length > 0;
  return hasOptions || readdirSync(hostPath).length === 0;
}
