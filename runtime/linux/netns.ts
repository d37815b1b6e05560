import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { assert } from "../../core/assert.ts";
import { checked, libc } from "./libc.ts";
import { isMountPoint, unmount } from "./mount.ts";

/**
 * Network namespaces.
 *
 * The main thread visits a namespace and comes back before anything else runs: work done inside must be synchronous.
 * Sockets, netlink and nftables contexts made inside belong to that namespace for good and can be used from outside.
 */

type Setns = (fd: number, type: number) => number;
type Unshare = (flags: number) => number;
type Mount = (source: string, target: string, type: null, flags: number, data: null) => number;

const cSetns: Setns = libc.func("int setns(int fd, int type)");
const cUnshare: Unshare = libc.func("int unshare(int flags)");
const cMount: Mount = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)",
);

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_SHARED = 1 << 20;
const OWN_NAMESPACE = "/proc/thread-self/ns/net";

/**
 * Makes a directory for namespaces' files: a mount of its own, shared with other mount namespaces, so that a namespace
 * removed here is gone everywhere. The same as iproute2 does with /run/netns.
 */
export function prepareNamespaceDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  if (isBound(path)) return;
  checked(cMount(path, path, null, MS_BIND | MS_REC, null), `bind ${path}`);
  checked(cMount("none", path, null, MS_SHARED | MS_REC, null), `share the mount ${path}`);
}

/** Undoes `prepareNamespaceDirectory`; the directory must be empty. No error when there is none. */
export function removeNamespaceDirectory(path: string): void {
  if (!existsSync(path)) return;
  while (isBound(path)) unmount(path);
  rmdirSync(path);
}

/** Opens a namespace by its file, by default our own; closed with `closeSync`. */
export function openNamespace(path: string = OWN_NAMESPACE): number {
  return openSync(path, constants.O_RDONLY);
}

/** Whether `path` holds a namespace, not just the file it would be bound to. */
export function isNamespace(path: string): boolean {
  return isMountPoint(path);
}

/**
 * Makes a new namespace that stays when no process is in it, bound to the file `path`.
 *
 * @param inside runs in it.
 */
export function createNamespace<T>(path: string, inside: () => T): T {
  writeFileSync(path, "", { flag: "wx" });
  return visit(() => {
    checked(cUnshare(CLONE_NEWNET), "make a network namespace");
    checked(cMount(OWN_NAMESPACE, path, null, MS_BIND, null), `bind a namespace to ${path}`);
    return inside();
  });
}

/** Runs synchronous work in the namespace of an open file. */
export function inNamespace<T>(namespaceFd: number, work: () => T): T {
  return visit(() => {
    checked(cSetns(namespaceFd, CLONE_NEWNET), "enter a network namespace");
    return work();
  });
}

/** Gives up the name; the namespace ends when nothing uses it any more. No error when there is none. */
export function removeNamespace(path: string): void {
  unmount(path);
  rmSync(path, { force: true });
}

/** Runs work that changes the thread's namespace and comes back whatever happens. */
function visit<T>(work: () => T): T {
  const home = openNamespace();
  try {
    const result = work();
    assert(!(result instanceof Promise), "work inside a network namespace must be synchronous");
    return result;
  } finally {
    const back = cSetns(home, CLONE_NEWNET);
    closeSync(home);
    // In the wrong namespace everything that follows would be wrong.
    assert(back === 0, "cannot return to the own network namespace");
  }
}

function isBound(path: string): boolean {
  const target = realpathSync(path);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return mounts.some((line) => line.split(" ")[4] === target);
}
