import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { systemError } from "../linux/libc.ts";
import { mountBind, unmountAside } from "../linux/mount.ts";
import { mountOfPath, mountsBelow } from "../linux/mount-table.ts";
import { ANY_PATH_ONLY, openBeneath } from "../linux/open-in-root.ts";
import type { ContainerHost } from "./container-run.ts";
import { isOverDataRoot } from "./mount-propagation.ts";
import type { ContainerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import type { PreparedMount, ResolvedMount } from "./types.ts";

/**
 * Makes the sources of a container's mounts be there for a run.
 *
 * @returns the mounts with the host's paths of this run.
 * @throws {ClusterError} what is not there or cannot be mounted, in Docker's words.
 */
export async function prepareMounts(
  { id, mounts }: ContainerRecord,
  paths: ContainerPaths,
  host: Pick<ContainerHost, "volumes" | "roots">,
): Promise<PreparedMount[]> {
  const prepared: PreparedMount[] = [];
  for (const mount of mounts) {
    if (mount.type === "bind") {
      const bound = await prepareBind(mount, host.roots.dataRoot);
      prepared.push({ ...bound, isFile: isFile(bound.hostPath) });
      continue;
    }
    if (mount.type !== "volume") {
      prepared.push(mount);
      continue;
    }
    const { source, target, readOnly, propagation } = mount;
    await host.volumes.mount(source, { container: id, target, readOnly, propagation });
    prepared.push(mount.subpath === undefined ? mount : bindSubpath(mount, mount.subpath, paths));
  }
  return prepared;
}

/**
 * Takes away what `prepareMounts` has bound into the bundle. Nothing to do when there is nothing.
 *
 * @throws {ClusterError} Internal when something stays: removing the bundle would reach into a volume.
 */
export async function releaseMounts({ subpathsDir }: ContainerPaths): Promise<void> {
  if (!existsSync(subpathsDir)) return;
  const directory = realpathSync(subpathsDir);
  for (const name of readdirSync(directory)) await unmountAside(join(directory, name));
  const [left] = mountsBelow(directory);
  if (left !== undefined)
    throw new ClusterError("Internal", `cannot unmount ${left}: it stays mounted`);
}

/** Source: moby, volume/mounts, Setup; daemon/oci_linux.go, ensureShared. */
async function prepareBind(mount: ResolvedMount, dataRoot: string): Promise<ResolvedMount> {
  const { source, createSource, propagation } = mount;
  if (createSource === true && !existsSync(source)) {
    try {
      await mkdir(source, { recursive: true, mode: 0o755 });
    } catch (error) {
      const message = `error while creating mount source path '${source}': ${errorMessage(error)}`;
      throw new ClusterError("Internal", message, { cause: error });
    }
  }
  if (!/shared$|slave$/.test(propagation)) return mount;
  const { point, isShared, isSlave } = mountOfPath(realPathOf(source));
  if (isShared || (isSlave && propagation.endsWith("slave"))) return mount;
  // Nobody may have asked for it: what cannot follow the host is private.
  if (propagation === "rslave" && isOverDataRoot(source, dataRoot))
    return { ...mount, propagation: "rprivate" };
  const wanted = propagation.endsWith("shared") ? "shared" : "shared or slave";
  throw new ClusterError(
    "InvalidArgument",
    `path ${source} is mounted on ${point} but it is not a ${wanted} mount`,
  );
}

/** What is not there is the runtime's to refuse. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw systemError(error, `find mount source path '${path}'`);
  }
}

/**
 * By an open handle, bound into the bundle: whoever may write to the volume could put a link in its place before the runtime
 * follows the path.
 */
function bindSubpath(mount: ResolvedMount, subpath: string, paths: ContainerPaths): PreparedMount {
  const handle = openSubpath(mount.hostPath, subpath);
  try {
    mkdirSync(paths.subpathsDir, { recursive: true, mode: 0o700 });
    const hostPath = join(paths.subpathsDir, String(readdirSync(paths.subpathsDir).length));
    const isDirectory = fstatSync(handle).isDirectory();
    if (isDirectory) mkdirSync(hostPath);
    else writeFileSync(hostPath, "");
    mountBind(`/proc/self/fd/${handle}`, hostPath);
    return { ...mount, hostPath, isFile: !isDirectory };
  } finally {
    closeSync(handle);
  }
}

/** A part of a volume; the caller closes. @throws {ClusterError} InvalidArgument in Docker's words. */
export function openSubpath(volume: string, subpath: string): number {
  try {
    return openBeneath(volume, subpath, ANY_PATH_ONLY);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const path = join(volume, subpath);
    const message =
      error.code === "PermissionDenied"
        ? `path concatenation escapes the base directory, base: ${JSON.stringify(volume)}, subpath: ${JSON.stringify(subpath)}`
        : `cannot access path ${path}: ${error.code === "NotFound" ? "no such file or directory" : error.message}`;
    throw new ClusterError("InvalidArgument", message, { cause: error });
  }
}
