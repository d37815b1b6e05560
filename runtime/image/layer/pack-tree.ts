import { type BigIntStats, closeSync, read, readSync } from "node:fs";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { ClusterError } from "../../../core/errors.ts";
import { encodeTarEntry } from "../../../core/tar/tar-encode.ts";
import type { TarEntry, TarType } from "../../../core/tar/tar-reader.ts";
import { tarPadding } from "../../../core/tar/tar-writer.ts";
import { findXattrOf } from "../../linux/files.ts";
import { DEPTH_MAX, type OpenDirectory, type OpenEntry } from "../../linux/open-directory.ts";
import { isOpaque, isWhiteout, refuseElsewhere } from "./upper-marks.ts";

const READ_BYTES = 256 * 1024;
/** Files up to here are read at once: through the thread pool a small file takes ten times as long. */
const SMALL_BYTES_MAX = 16 * 1024;
/** Of the archive, handed over together; then everybody else has a turn. */
const PIECE_BYTES = 64 * 1024;
const MODE_BITS = 0o7777n;
const NS_PER_S = 1_000_000_000n;
const readAside = promisify(read);

/** What the archive is for: a layer has marks for what is gone; plain files have none. */
export type PackStyle = "layer" | "files";

/** A piece of the archive, or one that is still being read. */
type Piece = Uint8Array | Promise<Uint8Array>;

export interface PackOptions {
  /** Paths that are left out with all that is in them: as names in the archive, without a slash at the end. */
  readonly without?: ReadonlySet<string>;
  /** What is left out is removed from the tree too: it becomes what the archive says. */
  readonly removes?: boolean;
}

/**
 * Packs trees of files that others may change meanwhile, a piece at a time and in the order of names: nothing outside of
 * them can be reached, and what goes away is left out. One is for one archive; its end is the caller's to write.
 */
export class TreePacker {
  readonly #style: PackStyle;
  readonly #without: ReadonlySet<string>;
  readonly #removes: boolean;
  /** Files with several names, by inode: where each is in the archive. */
  readonly #seen = new Map<string, string>();
  #contentBytes = 0;

  constructor(style: PackStyle, { without = new Set(), removes = false }: PackOptions = {}) {
    this.#style = style;
    this.#without = without;
    this.#removes = removes;
  }

  /** Of all files so far; links to one file count once. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /**
   * All that is in a directory.
   *
   * @param prefix of the names in the archive, with its slash; a byte string.
   * @throws {ClusterError} ResourceExhausted when directories are too deep inside each other; FailedPrecondition when a
   *   layer cannot be told without those below it.
   */
  packChildren(directory: OpenDirectory, prefix: string): AsyncGenerator<Uint8Array> {
    return inPieces(this.#children(directory, prefix, 0));
  }

  /** One file, a directory with all that is in it. Closes the entry. */
  packEntry(entry: OpenEntry, name: string): AsyncGenerator<Uint8Array> {
    return inPieces(this.#entry(entry, name, 0));
  }

  *#children(directory: OpenDirectory, prefix: string, depth: number): Generator<Piece> {
    if (depth > DEPTH_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot pack: more than ${DEPTH_MAX} directories inside each other`,
      );
    for (const name of directory.names()) {
      const entry = directory.find(name);
      if (entry === undefined) continue;
      if (this.#without.has(`${prefix}${name}`) || entry.facts.isSocket()) {
        entry.close();
        if (this.#removes) directory.remove(name);
      } else if (this.#style === "layer" && isWhiteout(entry.facts)) {
        entry.close();
        yield encodeTarEntry(mark(`${prefix}.wh.${name}`));
      } else yield* this.#entry(entry, `${prefix}${name}`, depth);
    }
  }

  *#entry(entry: OpenEntry, name: string, depth: number): Generator<Piece> {
    if (entry.facts.isDirectory()) yield* this.#directory(entry, `${name}/`, depth);
    else {
      try {
        if (!entry.facts.isSocket()) yield* this.#file(entry, name);
      } finally {
        entry.close();
      }
    }
  }

  *#directory(entry: OpenEntry, name: string, depth: number): Generator<Piece> {
    let header: Uint8Array;
    let directory: OpenDirectory;
    let opaque = false;
    try {
      if (this.#style === "layer") {
        refuseElsewhere(entry, name);
        opaque = isOpaque(entry);
      }
      header = encodeTarEntry(describe(entry, { type: "directory", name }));
      directory = entry.openDirectory();
    } finally {
      // Not held while its content is packed: that takes a descriptor for each level already.
      entry.close();
    }
    try {
      yield header;
      if (opaque) yield encodeTarEntry(mark(`${name}.wh..wh..opq`));
      yield* this.#children(directory, name, depth + 1);
    } finally {
      directory.close();
    }
  }

  *#file(entry: OpenEntry, name: string): Generator<Piece> {
    const { facts } = entry;
    const inode = `${facts.dev}:${facts.ino}`;
    const first = facts.nlink > 1n ? this.#seen.get(inode) : undefined;
    if (first !== undefined) {
      yield encodeTarEntry(describe(entry, { type: "hardLink", name, linkName: first }));
      return;
    }
    const type = typeOf(facts);
    if (type === "file" && this.#style === "layer") refuseElsewhere(entry, name);
    const linkName = type === "symlink" ? entry.readLink().toString("latin1") : "";
    if (facts.nlink > 1n) this.#seen.set(inode, name);
    const sizeBytes = type === "file" ? Number(facts.size) : 0;
    yield encodeTarEntry(describe(entry, { type, name, linkName, sizeBytes }));
    if (sizeBytes === 0) return;
    this.#contentBytes += sizeBytes;
    yield* readExactly(entry, sizeBytes);
    yield tarPadding(sizeBytes);
  }
}

/** As many bytes as were announced: of a file that grows meanwhile no more, of one that shrinks zeros for the rest. */
function* readExactly(entry: OpenEntry, sizeBytes: number): Generator<Piece> {
  const file = entry.openFile();
  try {
    if (sizeBytes <= SMALL_BYTES_MAX) {
      const content = Buffer.alloc(sizeBytes);
      readSync(file, content, 0, sizeBytes, 0);
      yield content;
      return;
    }
    for (let at = 0; at < sizeBytes; at += READ_BYTES) {
      const piece = Buffer.alloc(Math.min(READ_BYTES, sizeBytes - at));
      yield readAside(file, piece, 0, piece.length, at).then(() => piece);
    }
  } finally {
    closeSync(file);
  }
}

/** Puts small pieces together, waits for what is still being read, and lets the event loop turn between pieces. */
async function* inPieces(parts: Generator<Piece>): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let filled = 0;
  for (const part of parts) {
    const bytes = part instanceof Uint8Array ? part : await part;
    if (filled + bytes.length > PIECE_BYTES) {
      if (filled > 0) yield piece.subarray(0, filled);
      await eventLoopTurn();
      // Whoever took the last may keep it.
      piece = Buffer.allocUnsafe(PIECE_BYTES);
      filled = 0;
    }
    if (bytes.length > PIECE_BYTES) yield bytes;
    else {
      piece.set(bytes, filled);
      filled += bytes.length;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function describe(
  entry: OpenEntry,
  more: Pick<TarEntry, "type" | "name"> & Partial<TarEntry>,
): TarEntry {
  const { facts } = entry;
  const { major, minor } = deviceOf(facts.rdev);
  return {
    linkName: "",
    mode: Number(facts.mode & MODE_BITS),
    uid: Number(facts.uid),
    gid: Number(facts.gid),
    sizeBytes: 0,
    mtime: { seconds: Number(facts.mtimeNs / NS_PER_S), nanos: Number(facts.mtimeNs % NS_PER_S) },
    major,
    minor,
    xattrs: more.type === "hardLink" ? new Map() : attributesOf(entry),
    ...more,
  };
}

/** An empty file that means something else. */
function mark(name: string): TarEntry {
  const time = { seconds: 0, nanos: 0 };
  const plain = { linkName: "", mode: 0o600, uid: 0, gid: 0, sizeBytes: 0, mtime: time };
  return { type: "file", name, ...plain, major: 0, minor: 0, xattrs: new Map() };
}

/** Those that travel: what belongs to this machine (SELinux, overlayfs) stays. */
function attributesOf({ handle, attributes }: OpenEntry): ReadonlyMap<string, Uint8Array> {
  const names = attributes.filter(isPortable);
  return new Map(names.map((name) => [name, findXattrOf(handle, name) ?? new Uint8Array()]));
}

function isPortable(attribute: string): boolean {
  if (attribute === "security.capability") return true;
  return attribute.startsWith("user.") && !attribute.startsWith("user.overlay.");
}

function typeOf(facts: BigIntStats): TarType {
  if (facts.isSymbolicLink()) return "symlink";
  if (facts.isCharacterDevice()) return "charDevice";
  if (facts.isBlockDevice()) return "blockDevice";
  return facts.isFIFO() ? "fifo" : "file";
}

/** As glibc's major and minor. */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}
