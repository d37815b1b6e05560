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
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import type { TarEntry, TarSink } from "../../core/tar/tar-reader.ts";
import { setXattrs } from "../image/layer/layer-writer.ts";
import { makeNode, NODE_TYPES, setModificationTime } from "../linux/files.ts";
import { systemError } from "../linux/libc.ts";
import { OpenDirectory, orGone } from "../linux/open-directory.ts";
import { findInRoot, openInRoot } from "../linux/open-in-root.ts";
import { entryParts } from "./archive-path.ts";

export interface UnpackOptions {
  /** Owner of everything; undefined: as the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Refuses to put a file in the place of a directory, or a directory in that of a file. */
  readonly keepsKinds: boolean;
}

const PARENT_MODE = 0o755;
const MODE_BITS = 0o7777;
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Puts an archive's entries below a directory of a container, which may change its files meanwhile: links are followed as
 * the container would follow them, and nothing outside of its root is ever reached.
 *
 * Synchronous, as `LayerWriter`: whoever pushes an archive through must let the event loop turn between pieces.
 */
export class TreeUnpacker implements TarSink {
  readonly #root: string;
  /** Byte string; without a slash at its end. */
  readonly #base: string;
  readonly #options: UnpackOptions;
  /** The directory of the last entry: the next is mostly in the same. */
  #parent: { readonly path: string; readonly directory: OpenDirectory } | undefined;
  #open: { readonly fd: number; readonly path: Buffer; readonly entry: TarEntry } | undefined;
  /** Directories change with what is put into them: their times are set last. By path. */
  readonly #directoryTimes = new Map<string, TarEntry["mtime"]>();

  /** @param base absolute path of a directory in the container. */
  constructor(root: string, base: string, options: UnpackOptions) {
    this.#root = root;
    this.#base = Buffer.from(base.replace(/\/$/, "")).toString("latin1");
    this.#options = options;
  }

  onEntry(entry: TarEntry): void {
    const parts = this.#partsOf(entry.name, "entry");
    const name = parts.at(-1);
    if (name === undefined) {
      if (entry.type === "directory") return;
      throw refused(entry.name, "the directory itself cannot be replaced");
    }
    const path = `${this.#base}/${parts.join("/")}`;
    this.#attempt(path, () => this.#put(this.#enter(parts.slice(0, -1)), name, path, entry));
  }

  onContent(bytes: Uint8Array): void {
    const { fd, entry } = this.#open ?? {};
    if (fd === undefined || entry === undefined) return;
    this.#attempt(entry.name, () => {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    });
  }

  onEntryEnd(): void {
    if (this.#open === undefined) return;
    const { fd, path, entry } = this.#open;
    this.#open = undefined;
    const { uid, gid } = this.#ownerOf(entry);
    try {
      fchownSync(fd, uid, gid);
      fchmodSync(fd, entry.mode & MODE_BITS);
      // By the name it was just made with: if the container has put something else there, that gets them; nobody outside.
      setXattrs(path, entry);
      setTime(path, entry.mtime);
    } finally {
      closeSync(fd);
    }
  }

  /** Sets what must be last. Call once, after the whole archive. */
  finish(): void {
    for (const [path, mtime] of this.#directoryTimes) {
      const fd = findInRoot(this.#root, Buffer.from(path, "latin1"), DIRECTORY);
      if (fd === undefined) continue;
      try {
        // The dot: a handle itself would not be followed.
        setTime(`/proc/self/fd/${fd}/.`, mtime);
      } finally {
        closeSync(fd);
      }
    }
  }

  /** Lets go of everything; of a file that is not whole nothing stays. */
  close(): void {
    const { fd, path } = this.#open ?? {};
    this.#open = undefined;
    if (fd !== undefined) closeSync(fd);
    if (path !== undefined) orGone(() => unlinkSync(path));
    this.#leave();
  }

  #put(parent: OpenDirectory, name: string, path: string, entry: TarEntry): void {
    // Mostly nothing is in its place, and a look that finds nothing costs as much as the file.
    if (entry.type === "file" && this.#create(parent, name, entry)) return;
    const isDirectory = entry.type === "directory";
    const old = parent.find(name);
    old?.close();
    const wasDirectory = old?.facts.isDirectory() === true;
    if (old !== undefined && this.#options.keepsKinds && isDirectory !== wasDirectory)
      throw wrongKind(path, wasDirectory);
    if (old !== undefined && !(isDirectory && wasDirectory)) parent.remove(name);
    if (entry.type === "file") {
      if (!this.#create(parent, name, entry)) throw refused(path, "somebody else makes it too");
    } else if (entry.type === "hardLink") this.#link(parent, name, entry);
    else this.#make(parent, name, path, entry);
  }

  /** @returns whether nothing was there. */
  #create(parent: OpenDirectory, name: string, entry: TarEntry): boolean {
    const path = parent.pathOf(name);
    return orExists(() => {
      this.#open = { fd: openSync(path, CREATE, 0o600), path, entry };
    });
  }

  #make(parent: OpenDirectory, name: string, path: string, entry: TarEntry): void {
    const at = parent.pathOf(name);
    const { uid, gid } = this.#ownerOf(entry);
    if (entry.type === "symlink") {
      symlinkSync(Buffer.from(entry.linkName, "latin1"), at);
      lchownSync(at, uid, gid);
      setTime(at, entry.mtime);
      return;
    }
    if (entry.type === "directory") orExists(() => mkdirSync(at));
    else if (entry.type !== "file" && entry.type !== "hardLink")
      makeNode(at, NODE_TYPES[entry.type], entry.major, entry.minor);
    const made = parent.find(name);
    if (made === undefined) return;
    try {
      // Something else by now: not ours to change.
      if (made.facts.isSymbolicLink() || made.facts.isDirectory() !== (entry.type === "directory"))
        return;
      chownSync(made.handle, uid, gid);
      chmodSync(made.handle, entry.mode & MODE_BITS);
      setXattrs(at, entry);
      if (entry.type === "directory") this.#directoryTimes.set(path, entry.mtime);
      else setTime(at, entry.mtime);
    } finally {
      made.close();
    }
  }

  #link(parent: OpenDirectory, name: string, entry: TarEntry): void {
    const parts = [...this.#partsOf(entry.linkName, "hard link")];
    const target = parts.pop();
    if (target === undefined) throw refused(entry.name, "hard link to a directory");
    const path = `${this.#base}/${parts.join("/")}`;
    const directory = new OpenDirectory(
      openInRoot(this.#root, Buffer.from(path, "latin1"), DIRECTORY),
    );
    try {
      linkSync(directory.pathOf(target), parent.pathOf(name));
    } finally {
      directory.close();
    }
  }

  /** The directory an entry goes into; what is missing on the way is made. */
  #enter(parts: readonly string[]): OpenDirectory {
    const path = `${this.#base}/${parts.join("/")}`;
    if (this.#parent?.path === path) return this.#parent.directory;
    this.#leave();
    const found = findInRoot(this.#root, Buffer.from(path, "latin1"), DIRECTORY);
    const directory = found === undefined ? this.#makeWay(parts) : new OpenDirectory(found);
    this.#parent = { path, directory };
    return directory;
  }

  #makeWay(parts: readonly string[]): OpenDirectory {
    const pathOf = (count: number) =>
      Buffer.from(`${this.#base}/${parts.slice(0, count).join("/")}`, "latin1");
    let at = new OpenDirectory(openInRoot(this.#root, pathOf(0), DIRECTORY));
    for (const [depth, name] of parts.entries()) {
      try {
        orExists(() => this.#makeParent(at.pathOf(name)));
      } finally {
        at.close();
      }
      at = new OpenDirectory(openInRoot(this.#root, pathOf(depth + 1), DIRECTORY));
    }
    return at;
  }

  #makeParent(path: Buffer): void {
    mkdirSync(path, PARENT_MODE);
    const { owner } = this.#options;
    if (owner !== undefined) lchownSync(path, owner.uid, owner.gid);
  }

  #leave(): void {
    this.#parent?.directory.close();
    this.#parent = undefined;
  }

  #ownerOf(entry: TarEntry): { readonly uid: number; readonly gid: number } {
    return this.#options.owner ?? entry;
  }

  #partsOf(name: string, what: string): readonly string[] {
    const parts = entryParts(name);
    if (parts !== undefined) return parts;
    throw refused(name, `${what} is outside of ${JSON.stringify(`${this.#base}/`)}`);
  }

  #attempt(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const failure = systemError(error, `unpack ${JSON.stringify(shown(path))}`);
      // The directory it is all about is there: what is missing is the archive's affair.
      if (failure instanceof ClusterError && failure.code === "NotFound")
        throw new ClusterError("InvalidArgument", failure.message, { cause: failure });
      throw failure;
    }
  }
}

function setTime(path: string | Buffer, { seconds, nanos }: TarEntry["mtime"]): void {
  setModificationTime(path, seconds, nanos);
}

/** @returns false when somebody else made it first. */
function orExists(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return false;
  }
}

/** Docker's words. */
function wrongKind(path: string, wasDirectory: boolean): ClusterError {
  const name = JSON.stringify(shown(path));
  return new ClusterError(
    "InvalidArgument",
    wasDirectory
      ? `cannot overwrite directory ${name} with non-directory`
      : `cannot overwrite non-directory ${name} with directory`,
  );
}

function refused(name: string, reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid archive: ${JSON.stringify(shown(name.slice(0, 1000)))}: ${reason}`,
  );
}

function shown(path: string): string {
  return Buffer.from(path, "latin1").toString();
}
