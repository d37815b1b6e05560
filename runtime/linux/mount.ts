import { close, closeSync, constants, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import koffi, { type KoffiFunc } from "koffi";
import { ClusterError } from "../../core/errors.ts";
import { OUR_MOUNTS } from "../cgroup/layout.ts";
import { checked, errnoError, libc } from "./libc.ts";
import { orGone } from "./open-directory.ts";

/** What overlayfs needs: absolute paths, all of which exist. */
export interface OverlayMount {
  /** Uppermost first. */
  readonly lowerDirs: readonly string[];
  /** Undefined: nothing can be written; two lower directories at least. */
  readonly upper: { readonly dir: string; readonly workDir: string } | undefined;
  readonly target: string;
}

type Mount = (
  source: string,
  target: string,
  type: string,
  flags: number,
  options: string,
) => number;
const cMount: Mount = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *options)",
);
const cUmount = libc.func("int umount2(const char *target, int flags)") as KoffiFunc<
  (target: string, flags: number) => number
>;

const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16_384;
/** MS_NOSUID, MS_NODEV, MS_NOEXEC. */
const SEALED = 2 | 4 | 8;
const TMPFS_MAGIC = 0x01021994;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const EBUSY = 16;
const EINVAL = 22;
const ENOENT = 2;
/** The kernel copies one page of options. */
const OPTIONS_BYTES_MAX = 4095;
/** Linux's O_PATH, which node does not name: a handle on a directory, nothing more. */
const O_PATH = 0o10000000;
/** Characters that mean something in overlayfs's options. */
const SPECIAL = /[,:\\]/;

/**
 * Mounts a union of directories.
 *
 * Paths that the options cannot hold (too long together, or with `,` `:` `\`) are named by open handles instead.
 */
export function mountOverlay(overlay: OverlayMount): void {
  const { upper } = overlay;
  const paths = [...overlay.lowerDirs, ...(upper === undefined ? [] : [upper.dir, upper.workDir])];
  const plain = overlayOptions(paths, upper !== undefined);
  if (Buffer.byteLength(plain) <= OPTIONS_BYTES_MAX && !paths.some((path) => SPECIAL.test(path))) {
    mountWith(plain, overlay.target);
    return;
  }
  const handles: number[] = [];
  try {
    for (const path of paths) handles.push(openSync(path, O_PATH | constants.O_DIRECTORY));
    const names = handles.map((fd) => `/proc/self/fd/${fd}`);
    mountWith(overlayOptions(names, upper !== undefined), overlay.target);
  } finally {
    for (const fd of handles) closeSync(fd);
  }
}

/**
 * Mounts an empty file system that lives in memory, for root alone; out of the swap too where the kernel can keep it so.
 *
 * @throws {ClusterError} Internal when what is there then is no file system in memory.
 */
export function mountTmpfs(target: string, sizeBytes: number): void {
  const options = `mode=0700,size=${sizeBytes}`;
  // Since Linux 6.4.
  if (cMount("muster", target, "tmpfs", SEALED, `${options},noswap`) === -1) {
    checked(cMount("muster", target, "tmpfs", SEALED, options), `mount tmpfs on ${target}`);
  }
  if (statfsSync(target).type === TMPFS_MAGIC) return;
  throw new ClusterError(
    "Internal",
    `cannot mount tmpfs on ${target}: another file system is there`,
  );
}

/** Mounts an empty file system in memory that everybody may write to, as /dev/shm is. */
export function mountSharedMemory(target: string, sizeBytes: number): void {
  const options = `mode=1777,size=${sizeBytes}`;
  checked(cMount("shm", target, "tmpfs", SEALED, options), `mount shared memory on ${target}`);
}

/** Makes `target` show what is at `source`, with all that is mounted below it. */
export function mountBind(source: string, target: string): void {
  checked(cMount(source, target, "", MS_BIND | MS_REC, ""), `bind ${source} to ${target}`);
}

/** Makes what `mountTmpfs` mounted read-only; nobody may have a file of it open for writing. */
export function remountReadOnly(target: string): void {
  const flags = SEALED | MS_REMOUNT | MS_RDONLY;
  checked(cMount("muster", target, "tmpfs", flags, ""), `make ${target} read-only`);
}

/** Unmounts what is on top of `target`; nothing to do when nothing is mounted there or it does not exist. */
export function unmount(target: string): void {
  if (cUmount(target, MNT_DETACH | UMOUNT_NOFOLLOW) !== -1) return;
  const errno = koffi.errno();
  if (errno !== EINVAL && errno !== ENOENT) throw errnoError(errno, `unmount ${target}`);
}

/**
 * Unmounts `target` unless somebody has a file of it open.
 *
 * @returns whether nothing is mounted there any more.
 */
export function unmountIdle(target: string): boolean {
  if (cUmount(target, UMOUNT_NOFOLLOW) !== -1) return true;
  const errno = koffi.errno();
  if (errno === EBUSY) return false;
  if (errno !== EINVAL && errno !== ENOENT) throw errnoError(errno, `unmount ${target}`);
  return true;
}

/** Mounts version 1's hierarchy of one controller of the control groups. Nothing to do when it is there. */
export function mountController(controller: string, target: string): void {
  if (cMount(OUR_MOUNTS, target, "cgroup", SEALED, controller) !== -1) return;
  const errno = koffi.errno();
  if (errno !== EBUSY || !isMountPoint(target)) throw errnoError(errno, `mount ${target}`);
}

/**
 * The same without holding up everything else: overlayfs flushes what was written before it lets go.
 *
 * @throws {ClusterError} Internal when it is still mounted afterwards.
 */
export async function unmountAside(target: string): Promise<void> {
  const result = await new Promise<number>((resolve, reject) => {
    cUmount.async(target, MNT_DETACH | UMOUNT_NOFOLLOW, (error: unknown, value: number) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(value);
    });
  });
  // The other thread's errno is out of reach; but there is only one failure that matters.
  if (result === -1 && isMountPoint(target))
    throw new ClusterError("Internal", `cannot unmount ${target}: it stays mounted`);
}

/**
 * Takes away at once what is mounted at `target`; the kernel gives the file system up aside, since overlayfs flushes the
 * whole disk below it first. Nothing to do when nothing is mounted there or it does not exist.
 *
 * @returns `released` resolves when the file system is given up, unless others have it too.
 * @throws {ClusterError} Internal when it is still mounted.
 */
export async function detach(target: string): Promise<{ readonly released: Promise<void> }> {
  const root = orGone(() => openSync(target, O_PATH | constants.O_DIRECTORY));
  if (root === undefined) return { released: Promise.resolve() };
  try {
    await unmountAside(target);
  } catch (error) {
    closeSync(root);
    throw error;
  }
  // The open handle has kept the file system: the thread that closes it gives it up.
  return { released: promisify(close)(root) };
}

/** Whether a file system other than its parent's is mounted at `path`; false when it does not exist. Not for bind mounts. */
export function isMountPoint(path: string): boolean {
  const self = statSync(path, { throwIfNoEntry: false });
  return self !== undefined && self.dev !== statSync(dirname(path)).dev;
}

/** @param hasUpper `paths` ends with the upper and the work directory. */
function overlayOptions(paths: readonly string[], hasUpper: boolean): string {
  if (!hasUpper) return `lowerdir=${paths.join(":")}`;
  const lower = paths.slice(0, -2).join(":");
  return `lowerdir=${lower},upperdir=${paths.at(-2)},workdir=${paths.at(-1)}`;
}

function mountWith(options: string, target: string): void {
  checked(cMount("overlay", target, "overlay", 0, options), `mount overlay on ${target}`);
}
