import { constants as fileConstants } from "node:fs";
import { constants } from "node:os";
import koffi, { type KoffiFunc } from "koffi";
import { checked, errnoError, libc } from "./libc.ts";

/** What `node:fs` cannot do to a file: extended attributes, device nodes, nanosecond times, flushing a file system. */

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = 0x3ffffffe;
/** The kernel's own limit of a value, XATTR_SIZE_MAX. */
const XATTR_BYTES_MAX = 65_536;

/** None of that name, or a file system without any. */
const NO_XATTR = new Set([constants.errno.ENODATA, constants.errno.EOPNOTSUPP]);

const timespec = koffi.struct({ sec: "int64_t", nsec: "int64_t" });

/** A file's name: a text, or bytes, because names need not be UTF-8. */
export type FilePath = string | Uint8Array;

/** What the calls below write into: they are synchronous, and a new one of this size for each file costs more than the call. */
const scratch = Buffer.alloc(XATTR_BYTES_MAX);

type SetXattr = (
  path: Uint8Array,
  name: string,
  value: Uint8Array,
  size: number,
  flags: number,
) => number;
type GetXattr = (path: Uint8Array, name: string, value: Uint8Array, size: number) => number;
type ListXattr = (path: Uint8Array, names: Uint8Array, size: number) => number;
type Mknod = (path: Uint8Array, mode: number, device: number) => number;
type Timespec = { readonly sec: number; readonly nsec: number };
type Utimensat = (
  dir: number,
  path: Uint8Array,
  times: readonly Timespec[],
  flags: number,
) => number;
type Syncfs = KoffiFunc<(fd: number) => number>;

const cLsetxattr: SetXattr = libc.func(
  "int lsetxattr(const void *path, const char *name, const void *value, size_t size, int flags)",
);
const cLgetxattr: GetXattr = libc.func(
  "intptr_t lgetxattr(const void *path, const char *name, _Out_ uint8_t *value, size_t size)",
);
const cLlistxattr: ListXattr = libc.func(
  "intptr_t llistxattr(const void *path, _Out_ uint8_t *names, size_t size)",
);
const cGetxattr: GetXattr = libc.func(
  "intptr_t getxattr(const void *path, const char *name, _Out_ uint8_t *value, size_t size)",
);
const cListxattr: ListXattr = libc.func(
  "intptr_t listxattr(const void *path, _Out_ uint8_t *names, size_t size)",
);
const cMknod: Mknod = libc.func("int mknod(const void *path, uint32_t mode, uint64_t dev)");
const cUtimensat: Utimensat = libc.func("utimensat", "int", [
  "int",
  koffi.pointer("void"),
  koffi.pointer(timespec),
  "int",
]);
const cSyncfs = libc.func("int syncfs(int fd)") as Syncfs;

/** Sets an extended attribute; a symbolic link's own. The value may be any bytes. */
export function setXattr(path: FilePath, name: string, value: Uint8Array): void {
  checked(
    cLsetxattr(cPath(path), name, value, value.length, 0),
    `set attribute ${name} of ${shown(path)}`,
  );
}

/** Reads an extended attribute; a symbolic link's own; undefined when there is none. */
export function findXattr(path: FilePath, name: string): Uint8Array | undefined {
  return readXattr(cLgetxattr, path, name);
}

/** The same of an open file, named by its handle: `/proc/self/fd/N`. */
export function findXattrOf(handle: string, name: string): Uint8Array | undefined {
  return readXattr(cGetxattr, handle, name);
}

function readXattr(call: GetXattr, path: FilePath, name: string): Uint8Array | undefined {
  const size = call(cPath(path), name, scratch, scratch.length);
  if (size === -1 && NO_XATTR.has(koffi.errno())) return undefined;
  const length = size < 0 ? checked(size, `read attribute ${name} of ${shown(path)}`) : size;
  return Uint8Array.prototype.slice.call(scratch, 0, length);
}

/** Names of a file's extended attributes; a symbolic link's own. */
export function listXattrs(path: FilePath): readonly string[] {
  return readXattrNames(cLlistxattr, path);
}

/** The same of an open file, named by its handle: `/proc/self/fd/N`. */
export function listXattrsOf(handle: string): readonly string[] {
  return readXattrNames(cListxattr, handle);
}

function readXattrNames(call: ListXattr, path: FilePath): readonly string[] {
  const size = call(cPath(path), scratch, scratch.length);
  if (size === 0 || (size === -1 && NO_XATTR.has(koffi.errno()))) return [];
  const length = size < 0 ? checked(size, `list attributes of ${shown(path)}`) : size;
  return scratch
    .toString("latin1", 0, length)
    .split("\0")
    .filter((name) => name !== "");
}

const { S_IFBLK, S_IFCHR, S_IFIFO } = fileConstants;

/** The types of what `makeNode` makes, by the words of archives. */
export const NODE_TYPES = {
  charDevice: S_IFCHR,
  blockDevice: S_IFBLK,
  fifo: S_IFIFO,
} as const;

/** Makes a device node, FIFO or socket; `mode` holds the type (S_IFCHR…). Character device 0:0 is overlayfs's whiteout. */
export function makeNode(path: FilePath, mode: number, major: number, minor: number): void {
  checked(cMknod(cPath(path), mode, deviceNumber(major, minor)), `make device node ${shown(path)}`);
}

/** Sets the modification time, of a symbolic link its own; the access time stays. */
export function setModificationTime(path: FilePath, seconds: number, nanos: number): void {
  const times = [
    { sec: 0, nsec: UTIME_OMIT },
    { sec: seconds, nsec: nanos },
  ];
  checked(
    cUtimensat(AT_FDCWD, cPath(path), times, AT_SYMLINK_NOFOLLOW),
    `set the time of ${shown(path)}`,
  );
}

/** Waits until all of the file system that holds the open file `fd` is on disk; does not block the event loop. */
export function syncFileSystem(fd: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    cSyncfs.async(fd, (error: unknown, result: number) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else if (result === -1) reject(errnoError(constants.errno.EIO, `flush ${path} to disk`));
      else resolve();
    });
  });
}

/** As glibc's makedev: minor in bits 0–7 and 20–43, major in 8–19 and 44–63. Fits a double for the kernel's 12 + 20 bits. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >>> 8) * 2 ** 20;
}

/** As C wants it: ended by a zero. */
export function cPath(path: FilePath): Uint8Array {
  return Buffer.concat([typeof path === "string" ? Buffer.from(path) : path, Buffer.alloc(1)]);
}

/** For messages. */
export function shown(path: FilePath): string {
  return typeof path === "string" ? path : Buffer.from(path).toString();
}
