import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import koffi from "koffi";
import { ClusterError } from "../../core/errors.ts";
import { errnoError, libc } from "./libc.ts";

/** Opening files of a root file system whose content is not trusted: no symbolic link in it leads outside. */

type Openat2 = (number: number, dir: number, path: string, how: Uint8Array, size: number) => number;
const cOpenat2: Openat2 = libc.func(
  "intptr_t syscall(long number, int dir, const char *path, const uint8_t *how, size_t size)",
);

/** The same number on every architecture: it is younger than their common table. */
const SYS_OPENAT2 = 437;
const HOW_BYTES = 24;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const ENOENT = 2;
const ENOTDIR = 20;

/**
 * Opens `path` as a process with `root` as its root directory would.
 *
 * @param flags of open(2).
 * @returns a file descriptor the caller closes; undefined when there is no such file.
 * @throws {ClusterError} as open(2); `InvalidArgument` for a loop of links.
 */
export function findInRoot(root: string, path: string, flags: number): number | undefined {
  const dir = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    const how = Buffer.alloc(HOW_BYTES);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
    const fd = cOpenat2(SYS_OPENAT2, dir, path, how, HOW_BYTES);
    if (fd !== -1) return fd;
    const errno = koffi.errno();
    if (errno === ENOENT || errno === ENOTDIR) return undefined;
    throw errnoError(errno, `open ${path} inside ${root}`);
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
