import { closeSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import koffi from "koffi";
import { makeNode } from "./files.ts";
import { checked, errnoError, libc } from "./libc.ts";

/** File descriptors: pipes, and which of them a child gets. */

const cPipe: (fds: Int32Array, flags: number) => number = libc.func(
  "int pipe2(_Out_ int *fds, int flags)",
);
const cFcntl: (fd: number, command: number, argument: number) => number = libc.func(
  "int fcntl(int fd, int command, int argument)",
);

const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;
const S_IFIFO = 0o010000;
const STDERR = 2;

/** A pipe whose ends no child gets by chance. The caller closes both. */
export function makePipe(): { readonly readFd: number; readonly writeFd: number } {
  const fds = new Int32Array(2);
  checked(cPipe(fds, O_CLOEXEC), "make a pipe");
  return { readFd: fds[0] ?? -1, writeFd: fds[1] ?? -1 };
}

/** Makes a FIFO only its owner may open. */
export function makeFifo(path: string): void {
  makeNode(path, S_IFIFO | 0o600, 0, 0);
}

/** A second descriptor for the same file, numbered `lowest` or more. */
export function liftFd(fd: number, lowest: number): { readonly fd: number; close(): void } {
  const copy = checked(cFcntl(fd, F_DUPFD_CLOEXEC, lowest), `duplicate descriptor ${fd}`);
  return { fd: copy, close: () => closeSync(copy) };
}

/**
 * Sees to it that no child inherits a descriptor we do not hand it, not even one our own parent left open: a descriptor
 * that reaches a container is a way out of it.
 *
 * Source: CVE-2024-21626.
 */
export function closeOnExecAll(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= STDERR || cFcntl(fd, F_SETFD, FD_CLOEXEC) !== -1) continue;
    const errno = koffi.errno();
    // The directory's own descriptor is in the list and closed by now.
    if (errno !== constants.errno.EBADF) throw errnoError(errno, `set close-on-exec on ${fd}`);
  }
}
