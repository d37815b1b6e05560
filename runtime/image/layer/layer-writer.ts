import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { ClusterError } from "../../../core/errors.ts";
import type { TarEntry, TarSink } from "../../../core/tar/tar-reader.ts";
import { makeNode, NODE_TYPES, setModificationTime, setXattr } from "../../linux/files.ts";
import { LayerPlanner, type LayerStep } from "./layer-plan.ts";

const PARENT_MODE = 0o755;
const OPAQUE_XATTR = "trusted.overlay.opaque";
const OPAQUE_VALUE = Buffer.from("y");
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes the entries of one layer into a directory, as overlayfs wants a lower directory to be.
 *
 * Calls are synchronous: a small file costs tens of microseconds this way and ten times that through the thread pool. Whoever
 * pushes an archive through must let the event loop turn between pieces.
 */
export class LayerWriter implements TarSink {
  readonly #root: string;
  readonly #planner = new LayerPlanner();
  /** The file whose content comes next, until its end. */
  #open: { readonly fd: number; readonly path: Buffer; readonly entry: TarEntry } | undefined;
  #contentBytes = 0;
  /** Directories change with what is put into them: their times are set last. */
  readonly #directoryTimes = new Map<string, TarEntry["mtime"]>();

  /** @param root an empty directory nobody else writes to. */
  constructor(root: string) {
    this.#root = Buffer.from(root).toString("latin1");
  }

  /** Of all files, as Docker counts a layer's size. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  onEntry(entry: TarEntry): void {
    for (const step of this.#planner.plan(entry)) this.#carryOut(step);
  }

  onContent(bytes: Uint8Array): void {
    if (this.#open === undefined) return;
    this.#contentBytes += bytes.length;
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#open.fd, bytes, written);
  }

  onEntryEnd(): void {
    if (this.#open === undefined) return;
    const { fd, path, entry } = this.#open;
    this.#open = undefined;
    try {
      fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
    } finally {
      closeSync(fd);
    }
    setXattrs(path, entry);
    setModificationTime(path, entry.mtime.seconds, entry.mtime.nanos);
  }

  /** Sets what must be last. Call once, after the whole archive. */
  finish(): void {
    for (const [path, { seconds, nanos }] of this.#directoryTimes)
      setModificationTime(this.#pathOf(path), seconds, nanos);
  }

  /** Lets go of a file left open by a failure. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #carryOut(step: LayerStep): void {
    const path = this.#pathOf(step.path);
    switch (step.kind) {
      case "makeParent":
        mkdirSync(path, PARENT_MODE);
        return;
      case "remove":
        this.#forgetTimes(step.path);
        rmSync(path, { recursive: true, force: true });
        return;
      case "whiteout":
        makeNode(path, constants.S_IFCHR, 0, 0);
        return;
      case "opaque":
        setXattr(path, OPAQUE_XATTR, OPAQUE_VALUE);
        return;
      case "link":
        linkSync(this.#pathOf(step.target), path);
        return;
      case "update":
        this.#finishDirectory(step.path, path, step.entry);
        return;
      case "create":
        this.#create(step.path, path, step.entry);
        return;
    }
  }

  #create(name: string, path: Buffer, entry: TarEntry): void {
    switch (entry.type) {
      case "directory":
        mkdirSync(path);
        this.#finishDirectory(name, path, entry);
        return;
      case "file":
        this.#open = { fd: openSync(path, CREATE, 0o600), path, entry };
        return;
      case "symlink":
        symlinkSync(Buffer.from(entry.linkName, "latin1"), path);
        break;
      case "charDevice":
      case "blockDevice":
      case "fifo":
        makeNode(path, NODE_TYPES[entry.type], entry.major, entry.minor);
        break;
      case "hardLink":
        throw new ClusterError("Internal", "a hard link is planned as a link");
    }
    lchownSync(path, entry.uid, entry.gid);
    if (entry.type !== "symlink") chmodSync(path, entry.mode);
    setXattrs(path, entry);
    setModificationTime(path, entry.mtime.seconds, entry.mtime.nanos);
  }

  #finishDirectory(name: string, path: Buffer, entry: TarEntry): void {
    chownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    setXattrs(path, entry);
    this.#directoryTimes.set(name, entry.mtime);
  }

  #forgetTimes(path: string): void {
    for (const directory of this.#directoryTimes.keys())
      if (directory === path || directory.startsWith(`${path}/`))
        this.#directoryTimes.delete(directory);
  }

  #pathOf(path: string): Buffer {
    return Buffer.from(path === "" ? this.#root : `${this.#root}/${path}`, "latin1");
  }
}

/** Attributes by which a layer would speak to overlayfs itself are left out: whiteouts are how a layer says such things. */
export function setXattrs(path: Buffer, entry: Pick<TarEntry, "xattrs">): void {
  for (const [name, value] of entry.xattrs) {
    if (/^(trusted|user)\.overlay\./.test(name)) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      // The file system has no such attributes (security.selinux without SELinux): the file is still right.
      if (!(error instanceof ClusterError) || error.code !== "Unimplemented") throw error;
    }
  }
}
