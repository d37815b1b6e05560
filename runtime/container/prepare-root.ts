import { closeSync, symlinkSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import type { Rootfs } from "../image/types.ts";
import { ANY_PATH_ONLY, findInRoot, makeInRoot, PATH_ONLY } from "../linux/open-in-root.ts";
import type { ContainerHost } from "./container-run.ts";
import { fillVolumes } from "./fill-volumes.ts";
import type { ContainerId, ResolvedMount } from "./types.ts";

/** Where something is mounted at every start; and the mark by which programs know that they are in a container. */
const STUBS: readonly (readonly [path: string, kind: "directory" | "file"])[] = [
  ["/.dockerenv", "file"],
  ["/dev/console", "file"],
  ["/dev/pts", "directory"],
  ["/dev/shm", "directory"],
  ["/etc/hostname", "file"],
  ["/etc/hosts", "file"],
  ["/etc/resolv.conf", "file"],
  ["/proc", "directory"],
  ["/sys", "directory"],
];

/**
 * Makes what the root file system of a new container has beside its image's files: mount points, the mark of a container,
 * the list of mounts where programs look for it, the working directory; and gives new volumes what the image has where they
 * are mounted.
 *
 * Once, at its creation, as Docker does: files can be copied to it before it runs, and what it has removed stays away. It
 * stays mounted: the start follows at once, as a rule, and unmounting would flush the disk.
 *
 * @param workdir absolute and normal.
 * @throws {ClusterError} InvalidArgument when something else is where the working directory is to be; as `fillVolumes`.
 * Source: moby, daemon/initlayer; container.SetupWorkingDirectory.
 */
export async function prepareRoot(
  id: ContainerId,
  {
    mounts,
    rootfs,
    workdir,
  }: {
    readonly mounts: readonly ResolvedMount[];
    readonly rootfs: Rootfs;
    readonly workdir: string;
  },
  host: Pick<ContainerHost, "images" | "volumes" | "clock">,
): Promise<void> {
  await host.images.mountRootfs(rootfs);
  const { merged } = rootfs;
  for (const [path, kind] of STUBS) makeStub(merged, path, kind);
  makeMountList(merged);
  makeWorkdir(merged, workdir);
  await fillVolumes(id, mounts, rootfs, host);
}

function makeStub(root: string, path: string, kind: "directory" | "file"): void {
  try {
    makeInRoot(root, path, kind);
  } catch (error) {
    if (!isLinkToNowhere(error)) throw error;
  }
}

/** One in the way is the image's own. */
function isLinkToNowhere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function makeMountList(root: string): void {
  makeInRoot(root, "/etc", "directory");
  if (isThere(root, "/etc/mtab")) return;
  const etc = findInRoot(root, "/etc", PATH_ONLY);
  if (etc === undefined) return;
  try {
    symlinkSync("/proc/mounts", `/proc/self/fd/${etc}/mtab`);
  } catch (error) {
    if (!isLinkToNowhere(error)) throw error;
  } finally {
    closeSync(etc);
  }
}

/** Docker's words. */
function makeWorkdir(root: string, workdir: string): void {
  makeInRoot(root, workdir, "directory");
  const made = findInRoot(root, workdir, PATH_ONLY);
  if (made === undefined)
    throw new ClusterError("InvalidArgument", `Cannot mkdir: ${workdir} is not a directory`);
  closeSync(made);
}

function isThere(root: string, path: string): boolean {
  const found = findInRoot(root, path, ANY_PATH_ONLY);
  if (found !== undefined) closeSync(found);
  return found !== undefined;
}
