import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ClusterError } from "../../../core/errors.ts";
import { encodeTarEntry } from "../../../core/tar/tar-encode.ts";
import type { TarEntry, TarType } from "../../../core/tar/tar-reader.ts";
import { tarPadding } from "../../../core/tar/tar-writer.ts";
import { findXattrOf, listXattrsOf } from "../../linux/files.ts";
import { DEPTH_MAX, type OpenDirectory, type OpenEntry } from "../../linux/open-directory.ts";
import { isOpaque, isWhiteout, refuseElsewhere } from "./upper-marks.ts";

const READ_BYTES = 256 * 1024;
const MODE_BITS = 0o7777n;
const NS_PER_S = 1_000_000_000n;
/** Small files are read at once, without a pause: as many of them, then everybody else has a turn. */
const ENTRIES_PER_TURN = 64;

/** What the archive is for: a layer has marks for what is gone; plain files have none. */
export type PackStyle = "layer" | "files";

/**
 * Packs trees of files that others may change meanwhile, a piece at a time and in the order of names: nothing outside of
 * them can be reached, and what goes away is left out. One is for one archive; its end is the caller's to write.
 */
export class TreePacker {
  readonly #style: PackStyle;
  /** Files with several names, by inode: where each is in the archive. */
  readonly #seen = new Map<string, string>();
  #entries = 0;

  constructor(style: PackStyle) {
    this.#style = style;
  }

  /**
   * All that is in a directory.
   *
   * @param prefix of the names in the archive, with its slash; a byte string.
   * @throws {ClusterError} ResourceExhausted when directories are too deep inside each other; FailedPrecondition when a
   *   layer cannot be told without those below it.
   */
  async *packChildren(
    directory: OpenDirectory,
    prefix: string,
    depth = 0,
  ): AsyncGenerator<Uint8Array> {
    if (depth > DEPTH_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot pack: more than ${DEPTH_MAX} directories inside each other`,
      );
    for (const name of directory.names()) {
      if (++this.#entries % ENTRIES_PER_TURN === 0) await eventLoopTurn();
      const entry = directory.find(name);
      if (entry === undefined) continue;
      if (this.#style === "layer" && isWhiteout(entry.facts)) {
        entry.close();
        yield encodeTarEntry(mark(`${prefix}.wh.${name}`));
      } else yield* this.packEntry(entry, `${prefix}${name}`, depth);
    }
  }

  /** One file, a directory with all that is in it. Closes the entry. */
  async *packEntry(entry: OpenEntry, name: string, depth = 0): AsyncGenerator<Uint8Array> {
    if (entry.facts.isDirectory()) yield* this.#packDirectory(entry, `${name}/`, depth);
    else {
      try {
        if (!entry.facts.isSocket()) yield* this.#packFile(entry, name);
      } finally {
        entry.close();
      }
    }
  }

  async *#packDirectory(entry: OpenEntry, name: string, depth: number): AsyncGenerator<Uint8Array> {
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
      yield* this.packChildren(directory, name, depth + 1);
    } finally {
      directory.close();
    }
  }

  async *#packFile(entry: OpenEntry, name: string): AsyncGenerator<Uint8Array> {
    const { facts } = entry;
    const inode = `${facts.dev}:${facts.ino}`;
    const first = this.#seen.get(inode);
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
    if (type !== "file") return;
    yield* readExactly(entry, sizeBytes);
    yield tarPadding(sizeBytes);
  }
}

/** As many bytes as were announced: of a file that grows meanwhile no more, of one that shrinks zeros for the rest. */
async function* readExactly(entry: OpenEntry, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(entry.handle);
  try {
    for (let at = 0; at < sizeBytes; ) {
      const piece = Buffer.alloc(Math.min(READ_BYTES, sizeBytes - at));
      await file.read(piece, 0, piece.length, at);
      yield piece;
      at += piece.length;
    }
  } finally {
    await file.close();
  }
}

function describe(
  { handle, facts }: OpenEntry,
  more: Pick<TarEntry, "type" | "name"> & Partial<TarEntry>,
): TarEntry {
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
    xattrs: more.type === "hardLink" ? new Map() : attributesOf(handle),
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
function attributesOf(handle: string): ReadonlyMap<string, Uint8Array> {
  const names = listXattrsOf(handle).filter(isPortable);
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
