import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { listXattrsOf } from "./files.ts";
import { checked, libc } from "./libc.ts";

/*
 * Directories whose content somebody else may change at any moment: a container. A path of several parts may then lead
 * anywhere by the time it is followed, so every step is made from an open handle, and no last part is followed.
 */

type Readlinkat = (dir: number, path: string, buffer: Uint8Array, size: number) => number;
const cReadlinkat: Readlinkat = libc.func(
  "intptr_t readlinkat(int dir, const char *path, _Out_ uint8_t *buffer, size_t size)",
);

const O_PATH = 0o10000000;
const HOLD = O_PATH | constants.O_NOFOLLOW;
/** Errors that say: it was there and is something else by now. */
const GONE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ESTALE"]);
/** The kernel's limit, PATH_MAX. */
const LINK_BYTES_MAX = 4096;
const REMOVED_PER_TURN = 256;
/** Directories inside each other. Paths of the kernel cannot name more; each costs a descriptor while it is walked. */
export const DEPTH_MAX = 2048;

/** A file that is held: whatever takes its name meanwhile, this is about the one that was found. */
export class OpenEntry {
  readonly facts: BigIntStats;
  readonly #fd: number;
  #attributes: readonly string[] | undefined;
  #isClosed = false;

  /** @param fd becomes this object's own; opened with O_PATH and O_NOFOLLOW. */
  constructor(fd: number) {
    this.#fd = fd;
    this.facts = fstatSync(fd, { bigint: true });
  }

  /** Names exactly this file, a link too, to calls that follow links. */
  get handle(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Names of its extended attributes, as they were when they were first asked for. */
  get attributes(): readonly string[] {
    this.#attributes ??= listXattrsOf(this.handle);
    return this.#attributes;
  }

  /** Opens a regular file for reading; the caller closes. */
  openFile(): number {
    return openSync(this.handle, constants.O_RDONLY);
  }

  openDirectory(): OpenDirectory {
    return new OpenDirectory(openSync(this.handle, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** The directory it is, held instead of this. */
  openAndClose(): OpenDirectory {
    try {
      return this.openDirectory();
    } finally {
      this.close();
    }
  }

  /** What a link says; bytes. */
  readLink(): Buffer {
    const target = Buffer.alloc(LINK_BYTES_MAX);
    const size = cReadlinkat(this.#fd, "", target, target.length);
    return target.subarray(0, checked(size, "read a symbolic link"));
  }

  /** No error when it is closed already. */
  close(): void {
    if (!this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
  }
}

/** An open directory. Names in it are byte strings: one character per byte. */
export class OpenDirectory {
  readonly #fd: number;
  #isClosed = false;

  /** @param fd becomes this object's own. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @param path trusted in all its parts. */
  static open(path: string | Buffer): OpenDirectory {
    return new OpenDirectory(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** In the order of names. */
  names(): string[] {
    const names = readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: "buffer" });
    return names.map((name) => name.toString("latin1")).toSorted();
  }

  /** The same with their kind, in no order. */
  entries(): readonly { readonly name: string; readonly isDirectory: boolean }[] {
    const options = { encoding: "buffer", withFileTypes: true } as const;
    const found = readdirSync(`/proc/self/fd/${this.#fd}`, options);
    return found.map((entry) => ({
      name: entry.name.toString("latin1"),
      isDirectory: entry.isDirectory(),
    }));
  }

  /** Names a file in it to calls that do not follow links. */
  pathOf(name: string): Buffer {
    return Buffer.from(`/proc/self/fd/${this.#fd}/${name}`, "latin1");
  }

  /** Holds a file in it, whatever it is; undefined when there is none. The caller closes. */
  find(name: string): OpenEntry | undefined {
    return orGone(() => new OpenEntry(openSync(this.pathOf(name), HOLD)));
  }

  /** Removes a file, or a directory with everything in it. No error when there is none. */
  remove(name: string, depth = 0): void {
    const entry = this.find(name);
    if (entry === undefined) return;
    try {
      if (!entry.facts.isDirectory()) orGone(() => unlinkSync(this.pathOf(name)));
      else {
        if (depth < DEPTH_MAX) emptyOut(entry, depth);
        rmdirSync(this.pathOf(name));
      }
    } finally {
      entry.close();
    }
  }

  /** No error when it is closed already. */
  close(): void {
    if (!this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
  }
}

/**
 * Removes a directory with everything in it, a part at a time so that everybody else has a turn. Several times faster than
 * `node:fs`'s own, which hands each call to a thread. No error when there is none.
 *
 * @param path trusted in all its parts. Its content is not, and may be as deep as it likes.
 * @param signal ends it with some or all of it left.
 */
export async function removeTree(path: string, signal?: AbortSignal): Promise<void> {
  const directory = orGone(() => OpenDirectory.open(path));
  if (directory === undefined) return;
  try {
    await new Emptying(signal).empty(directory, 0);
  } finally {
    directory.close();
  }
  if (signal?.aborted !== true) orGone(() => rmdirSync(path));
}

class Emptying {
  readonly #signal: AbortSignal | undefined;
  #removed = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async empty(directory: OpenDirectory, depth: number): Promise<void> {
    for (const { name, isDirectory } of directory.entries()) {
      if (++this.#removed % REMOVED_PER_TURN === 0) await eventLoopTurn();
      if (this.#signal?.aborted === true) return;
      if (!isDirectory) orGone(() => unlinkSync(directory.pathOf(name)));
      else await this.#removeDirectory(directory, name, depth);
    }
  }

  async #removeDirectory(parent: OpenDirectory, name: string, depth: number): Promise<void> {
    const directory = depth < DEPTH_MAX ? parent.find(name)?.openAndClose() : undefined;
    try {
      if (directory !== undefined) await this.empty(directory, depth + 1);
    } finally {
      directory?.close();
    }
    if (this.#signal?.aborted !== true) orGone(() => rmdirSync(parent.pathOf(name)));
  }
}

function emptyOut(entry: OpenEntry, depth: number): void {
  const directory = entry.openDirectory();
  try {
    for (const child of directory.names()) directory.remove(child, depth + 1);
  } finally {
    directory.close();
  }
}

/** Undefined when what was there has gone or become something else. */
export function orGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.has(String(error.code))) return undefined;
    throw error;
  }
}
