import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import koffi from "koffi";
import { ClusterError } from "../../core/errors.ts";
import { cPath, type FilePath, shown } from "./files.ts";
import { errnoError, libc } from "./libc.ts";

/** Opening files of a root file system whose content is not trusted: no symbolic link in it leads outside. */

type Openat2 = (
  number: number,
  dir: number,
  path: Uint8Array,
  how: Uint8Array,
  size: number,
) => number;
const cOpenat2: Openat2 = libc.func(
  "intptr_t syscall(long number, int dir, const void *path, const uint8_t *how, size_t size)",
);

/** The same number on every architecture: it is younger than their common table. */
const SYS_OPENAT2 = 437;
const HOW_BYTES = 24;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const ENOENT = 2;
const EAGAIN = 11;
const ENOTDIR = 20;
const TRIES_MAX = 64;
const EXDEV = 18;

/**
 * Opens `path` as a process with `root` as its root directory would.
 *
 * @param flags of open(2).
 * @returns a file descriptor the caller closes; undefined when there is no such file.
 * @throws {ClusterError} as open(2); `InvalidArgument` for a loop of links.
 */
export function findInRoot(root: string, path: FilePath, flags: number): number | undefined {
  const found = tryOpen(root, path, flags, RESOLVE_IN_ROOT);
  if (typeof found === "number") return found;
  const errno = found.errno;
  if (errno === ENOENT || errno === ENOTDIR) return undefined;
  throw errnoError(errno, `open ${shown(path)} inside ${root}`);
}

/** The same; @throws {ClusterError} `NotFound` when there is no such file, `InvalidArgument` when a part is no directory. */
export function openInRoot(root: string, path: FilePath, flags: number): number {
  const found = tryOpen(root, path, flags, RESOLVE_IN_ROOT);
  if (typeof found === "number") return found;
  throw errnoError(found.errno, `open ${shown(path)}`);
}

/**
 * Opens `path` below a directory; what leads out of it, by `..` or by a link, is an error.
 *
 * @param flags of open(2).
 * @returns a file descriptor the caller closes.
 * @throws {ClusterError} `NotFound`; `PermissionDenied` for a path that leads outside; as open(2).
 */
export function openBeneath(root: string, path: string, flags: number): number {
  const opened = tryOpen(root, path, flags, RESOLVE_BENEATH);
  if (typeof opened === "number") return opened;
  if (opened.errno === EXDEV)
    throw new ClusterError("PermissionDenied", `cannot open ${path}: it leads out of ${root}`);
  throw errnoError(opened.errno, `open ${path} below ${root}`);
}

function tryOpen(
  root: string,
  path: FilePath,
  flags: number,
  resolve: number,
): number | { errno: number } {
  const dir = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    const how = Buffer.alloc(HOW_BYTES);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(resolve | RESOLVE_NO_MAGICLINKS), 16);
    for (let tries = 1; ; tries++) {
      const fd = cOpenat2(SYS_OPENAT2, dir, cPath(path), how, HOW_BYTES);
      if (fd !== -1) return fd;
      const errno = koffi.errno();
      // Somebody moves directories while `..` is followed: the kernel cannot tell whether it stays inside.
      if (errno !== EAGAIN || tries === TRIES_MAX) return { errno };
    }
  } finally {
    closeSync(dir);
  }
}

/**
 * Reads a regular file inside `root`; undefined when there is none.
 *
 * @throws {ClusterError} `InvalidArgument` when it is no regular file; `ResourceExhausted` when it is longer than `bytesMax`.
 */
export function readInRoot(root: string, path: string, bytesMax: number): Buffer | undefined {
  // O_NONBLOCK: an image may hold a FIFO here, whose opening would wait for ever.
  const fd = findInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile())
      throw new ClusterError("InvalidArgument", `cannot read ${path} of the image: not a file`);
    if (stat.size > bytesMax)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot read ${path} of the image: longer than ${bytesMax} bytes`,
      );
    const buffer = Buffer.alloc(stat.size);
    return buffer.subarray(0, readSync(fd, buffer, 0, stat.size, 0));
  } finally {
    closeSync(fd);
  }
}

/** The flags to open a directory only to name it: as `/proc/self/fd/N`. */
export const PATH_ONLY = O_PATH | constants.O_DIRECTORY;
/** The same of anything. */
export const ANY_PATH_ONLY = O_PATH;

/**
 * Makes a directory inside `root` with all above it, or an empty file there; what is there stays.
 *
 * @param path absolute, without `.` and `..`.
 */
export function makeInRoot(root: string, path: string, kind: "directory" | "file"): void {
  const names = path.split("/").filter((name) => name !== "");
  for (const [at, name] of names.entries()) {
    const isLast = at === names.length - 1;
    const isThere = findInRoot(root, `/${names.slice(0, at + 1).join("/")}`, O_PATH);
    if (isThere !== undefined) {
      closeSync(isThere);
      continue;
    }
    const parent = findInRoot(root, `/${names.slice(0, at).join("/")}`, PATH_ONLY);
    // What is in the way is told by whoever wants to use it.
    if (parent === undefined) return;
    try {
      const target = `/proc/self/fd/${parent}/${name}`;
      if (isLast && kind === "file") closeSync(openSync(target, MAKE, FILE_MODE));
      else mkdirSync(target, DIRECTORY_MODE);
    } finally {
      closeSync(parent);
    }
  }
}

const MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Docker's, of what is mounted upon. */
const FILE_MODE = 0o755;
const DIRECTORY_MODE = 0o755;
