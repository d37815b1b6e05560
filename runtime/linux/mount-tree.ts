import { closeSync, constants, mkdirSync, openSync, rmdirSync } from "node:fs";
import { checked, libc } from "./libc.ts";
import { mountOverlay, unmount } from "./mount.ts";
import { findInRoot } from "./open-in-root.ts";

/** Trees of mounts that are in no mount table: only a descriptor holds them, and they go with it. */

type Mount = (source: string, target: string, type: null, flags: number, data: null) => number;
type OpenTree = (number: number, dir: number, path: string, flags: number) => number;

const cMount: Mount = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)",
);
const cOpenTree: OpenTree = libc.func(
  "intptr_t syscall(long number, int dir, const char *path, unsigned int flags)",
);

/** The same number on every architecture. */
const SYS_OPEN_TREE = 428;
const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;

/** Something of the host's mounted inside a tree. */
export interface TreeMount {
  /** Absolute; exists. */
  readonly source: string;
  /** Inside the tree; what is not there yet, `prepare` makes. */
  readonly target: string;
  readonly readOnly: boolean;
  /** Takes what is mounted below its source with it. */
  readonly recursive: boolean;
}

/**
 * Puts mounts on a copy of a directory's mount, as a container sees them, and takes the whole out of the mount table again.
 *
 * Nothing is awaited, so that nobody else ever sees it mounted. After `kill -9` in the middle the scratch directory may be
 * left mounted: `unmount` it.
 *
 * @param scratch a directory that is not there yet; gone afterwards.
 * @param prepare makes a target that is missing, inside the root it is given.
 * @returns the descriptor of the tree's root; closing it ends the tree.
 */
export function openMountTree(
  root: string,
  mounts: readonly TreeMount[],
  scratch: string,
  prepare: (root: string, mount: TreeMount) => void,
): number {
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    checked(cMount(root, scratch, null, MS_BIND, null), `bind ${root}`);
    try {
      // What is mounted on it from here on is nobody else's.
      checked(cMount("none", scratch, null, MS_PRIVATE, null), `make ${scratch} private`);
      for (const mount of mounts) mountInside(scratch, mount, prepare);
      return copyTree(scratch);
    } finally {
      unmount(scratch);
    }
  } finally {
    rmdirSync(scratch);
  }
}

function mountInside(
  root: string,
  mount: TreeMount,
  prepare: (root: string, mount: TreeMount) => void,
): void {
  const { source, target, readOnly, recursive } = mount;
  let fd = findInRoot(root, target, O_PATH);
  if (fd === undefined) {
    prepare(root, mount);
    fd = findInRoot(root, target, O_PATH);
  }
  // The container took it away again: it is not mounted in there either.
  if (fd === undefined) return;
  try {
    const path = `/proc/self/fd/${fd}`;
    const flags = MS_BIND | (recursive ? MS_REC : 0);
    checked(cMount(source, path, null, flags, null), `bind ${source} to ${target}`);
  } finally {
    closeSync(fd);
  }
  if (!readOnly) return;
  const mounted = findInRoot(root, target, O_PATH);
  if (mounted === undefined) return;
  try {
    const flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
    checked(
      cMount("none", `/proc/self/fd/${mounted}`, null, flags, null),
      `make ${target} read-only`,
    );
  } finally {
    closeSync(mounted);
  }
}

/**
 * The union of directories, read-only, in no mount table.
 *
 * @param directories uppermost first, one at least.
 * @returns the descriptor of its root; closing it ends the union.
 */
export function openUnion(directories: readonly string[], scratch: string): number {
  const [only = ""] = directories;
  if (directories.length === 1) return openSync(only, constants.O_RDONLY | constants.O_DIRECTORY);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    mountOverlay({ lowerDirs: directories, upper: undefined, target: scratch });
    try {
      return copyTree(scratch);
    } finally {
      unmount(scratch);
    }
  } finally {
    rmdirSync(scratch);
  }
}

/** Private first: else unmounting the one would reach into the other. */
function copyTree(path: string): number {
  checked(cMount("none", path, null, MS_PRIVATE | MS_REC, null), `make ${path} private`);
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE;
  return checked(cOpenTree(SYS_OPEN_TREE, AT_FDCWD, path, flags), `copy ${path}`);
}
