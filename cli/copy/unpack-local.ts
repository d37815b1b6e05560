import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { type TarEntry, TarReader, type TarSink } from "../../core/tar/tar-reader.ts";
import { renamed } from "./copy-target.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MODE_BITS = 0o7777;
const NS_PER_S = 1e9;

export interface UnpackOptions {
  /** What entries are called in the archive at first, and what they become; undefined: as they are. */
  readonly from: string;
  readonly to: string | undefined;
  readonly keepsOwners: boolean;
  readonly warn: (text: string) => void;
}

/**
 * Unpacks what a daemon sends below a directory of this machine. The archive comes from a container and is not trusted:
 * whatever links it brings, nothing outside of the directory is written.
 *
 * @throws {ClusterError} InvalidArgument.
 */
export async function unpackLocal(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<void> {
  const unpacker = new LocalUnpacker(realpathSync(directory), options);
  const reader = new TarReader(unpacker);
  try {
    for await (const chunk of archive) reader.push(chunk);
    reader.finish();
    unpacker.finish();
  } finally {
    unpacker.close();
  }
}

class LocalUnpacker implements TarSink {
  readonly #root: string;
  readonly #options: UnpackOptions;
  readonly #directories = new Map<string, TarEntry>();
  #open: { readonly fd: number; readonly path: string; readonly entry: TarEntry } | undefined;

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
  }

  onEntry(entry: TarEntry): void {
    const { from, to } = this.#options;
    const path = this.#pathOf(renamed(utf8(entry.name), from, to));
    try {
      this.#put(path, entry);
    } catch (error) {
      if (error instanceof ClusterError) throw error;
      throw new ClusterError("InvalidArgument", `cannot write ${path}: ${errorMessage(error)}`);
    }
  }

  onContent(bytes: Uint8Array): void {
    if (this.#open === undefined) return;
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#open.fd, bytes, written);
  }

  onEntryEnd(): void {
    if (this.#open === undefined) return;
    const { fd, path, entry } = this.#open;
    this.#open = undefined;
    this.#own(path, entry);
    fchmodSync(fd, entry.mode & MODE_BITS);
    closeSync(fd);
    setTime(path, entry);
  }

  /** Directories change with what is put into them: last. */
  finish(): void {
    for (const [path, entry] of [...this.#directories].toReversed()) {
      chmodSync(path, entry.mode & MODE_BITS);
      setTime(path, entry);
    }
  }

  /** Of a file that is not whole nothing stays. */
  close(): void {
    if (this.#open === undefined) return;
    closeSync(this.#open.fd);
    rmSync(this.#open.path, { force: true });
  }

  #put(path: string, entry: TarEntry): void {
    if (path === this.#root) return;
    const old = lstatSync(path, { throwIfNoEntry: false });
    if (entry.type === "directory") {
      if (old?.isDirectory() !== true) mkdirSync(path, 0o700);
      this.#own(path, entry);
      this.#directories.set(path, entry);
      return;
    }
    if (old?.isDirectory() === true)
      throw new ClusterError("InvalidArgument", `cannot overwrite directory ${path} with a file`);
    rmSync(path, { force: true });
    if (entry.type === "file") this.#open = { fd: openSync(path, CREATE, 0o600), path, entry };
    else if (entry.type === "symlink") symlinkSync(utf8(entry.linkName), path);
    else if (entry.type === "hardLink") {
      const { from, to } = this.#options;
      linkSync(this.#pathOf(renamed(utf8(entry.linkName), from, to)), path);
    } else this.#options.warn(`left out ${path}: neither a file nor a directory nor a link\n`);
  }

  #own(path: string, { uid, gid }: TarEntry): void {
    if (this.#options.keepsOwners) lchownSync(path, uid, gid);
  }

  /** @throws {ClusterError} InvalidArgument when it is outside, by its name or through a link. */
  #pathOf(name: string): string {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..") || name.includes("\0")) throw refused(name);
    const path = join(this.#root, ...parts);
    if (path === this.#root) return path;
    const parent = realpathSync(dirname(path));
    if (parent !== this.#root && !parent.startsWith(this.#root.replace(/\/?$/, sep)))
      throw refused(name);
    return path;
  }
}

function setTime(path: string, { mtime: { seconds, nanos } }: TarEntry): void {
  const time = seconds + nanos / NS_PER_S;
  utimesSync(path, time, time);
}

function refused(name: string): ClusterError {
  const shown = JSON.stringify(name.slice(0, 1000));
  return new ClusterError("InvalidArgument", `archive refused: ${shown} leads outside`);
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}
