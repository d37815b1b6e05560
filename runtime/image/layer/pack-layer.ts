import { type BigIntStats, constants, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { ClusterError } from "../../../core/errors.ts";
import { findXattr, listXattrs } from "../../linux/files.ts";
import { encodeTarEntry } from "../tar/tar-encode.ts";
import type { TarEntry, TarType } from "../tar/tar-reader.ts";
import { ARCHIVE_END, tarPadding } from "../tar/tar-writer.ts";

const READ_BYTES = 256 * 1024;
const MODE_BITS = 0o7777n;
const NS_PER_S = 1_000_000_000n;
const OPAQUE_XATTR = "trusted.overlay.opaque";
/** With these an upper directory says where the rest of it is: a layer cannot. */
const ELSEWHERE_XATTRS = ["trusted.overlay.redirect", "trusted.overlay.metacopy"];
const READ = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Packs an overlayfs upper directory as a layer: what was removed becomes `.wh.` marks, what hides a lower directory an
 * opaque mark. In the order of names, a piece at a time; what goes away meanwhile is left out.
 *
 * @throws {ClusterError} FailedPrecondition when the directory cannot be told without those below it.
 * Source: OCI image-spec, layer.md; Linux, Documentation/filesystems/overlayfs.rst.
 */
export async function* packLayer(directory: string): AsyncGenerator<Uint8Array> {
  const seen = new Map<string, string>();
  yield* packChildren(Buffer.from(directory), "", seen);
  yield ARCHIVE_END;
}

/** @param prefix of the names inside, with its slash; a byte string. @param seen files with several names, by inode. */
async function* packChildren(
  directory: Buffer,
  prefix: string,
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const names = readdirSync(directory, { encoding: "buffer" }).map((name) =>
    name.toString("latin1"),
  );
  for (const child of names.toSorted()) {
    const path = Buffer.concat([directory, Buffer.from(`/${child}`, "latin1")]);
    const facts = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (facts === undefined || facts.isSocket()) continue;
    if (isWhiteout(facts)) yield encodeTarEntry(mark(`${prefix}.wh.${child}`));
    else if (facts.isDirectory()) yield* packDirectory(path, facts, `${prefix}${child}/`, seen);
    else yield* packFile(path, facts, `${prefix}${child}`, seen);
  }
}

async function* packDirectory(
  path: Buffer,
  facts: BigIntStats,
  name: string,
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  refuseElsewhere(path, name);
  yield encodeTarEntry(describe(path, facts, { type: "directory", name }));
  if (Buffer.from(findXattr(path, OPAQUE_XATTR) ?? []).toString() === "y")
    yield encodeTarEntry(mark(`${name}.wh..wh..opq`));
  yield* packChildren(path, name, seen);
}

async function* packFile(
  path: Buffer,
  facts: BigIntStats,
  name: string,
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const inode = `${facts.dev}:${facts.ino}`;
  const first = seen.get(inode);
  if (first !== undefined) {
    yield encodeTarEntry(describe(path, facts, { type: "hardLink", name, linkName: first }));
    return;
  }
  if (facts.nlink > 1n) seen.set(inode, name);
  const type = typeOf(facts);
  if (type === "file") refuseElsewhere(path, name);
  const linkName =
    type === "symlink" ? readlinkSync(path, { encoding: "buffer" }).toString("latin1") : "";
  const sizeBytes = type === "file" ? Number(facts.size) : 0;
  yield encodeTarEntry(describe(path, facts, { type, name, linkName, sizeBytes }));
  if (type !== "file") return;
  yield* readExactly(path, sizeBytes);
  yield tarPadding(sizeBytes);
}

/** As many bytes as were announced: of a file that grows meanwhile no more, of one that shrinks zeros for the rest. */
async function* readExactly(path: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, READ);
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
  path: Buffer,
  facts: BigIntStats,
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
    xattrs: more.type === "hardLink" ? new Map() : attributesOf(path),
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
function attributesOf(path: Buffer): ReadonlyMap<string, Uint8Array> {
  const names = listXattrs(path).filter(
    (name) =>
      name === "security.capability" ||
      (name.startsWith("user.") && !name.startsWith("user.overlay.")),
  );
  return new Map(names.map((name) => [name, findXattr(path, name) ?? new Uint8Array()]));
}

function refuseElsewhere(path: Buffer, name: string): void {
  const found = ELSEWHERE_XATTRS.find((attribute) => findXattr(path, attribute) !== undefined);
  if (found === undefined) return;
  const shown = Buffer.from(name, "latin1").toString();
  const message = `cannot pack ${shown}: overlayfs keeps a part of it elsewhere (${found})`;
  throw new ClusterError("FailedPrecondition", message);
}

function typeOf(facts: BigIntStats): TarType {
  if (facts.isSymbolicLink()) return "symlink";
  if (facts.isCharacterDevice()) return "charDevice";
  if (facts.isBlockDevice()) return "blockDevice";
  return facts.isFIFO() ? "fifo" : "file";
}

/** How overlayfs says that a name is gone. */
function isWhiteout(facts: BigIntStats): boolean {
  return facts.isCharacterDevice() && facts.rdev === 0n;
}

/** As glibc's major and minor. */
function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}
