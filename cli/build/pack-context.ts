import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { IgnoreRules } from "../../core/ignore-file.ts";
import { encodeTarEntry } from "../../core/tar/tar-encode.ts";
import type { TarEntry } from "../../core/tar/tar-reader.ts";
import { ARCHIVE_END, tarPadding } from "../../core/tar/tar-writer.ts";

/** A folder and what of it is sent. */
export interface ContextFolder {
  readonly path: string;
  readonly rules: IgnoreRules;
  /** Sent though the rules leave them out: the daemon reads them. From the folder's root. */
  readonly always: readonly string[];
  /** Sent beside what is in the folder: name and content. */
  readonly added: ReadonlyMap<string, Uint8Array>;
}

const READ_BYTES = 256 * 1024;
const MODE_BITS = 0o7777;
const FILE_MODE = 0o600;

/**
 * Packs a build's context, a piece at a time and in the order of names. Owners are left out: in an image everything is root's
 * unless the Dockerfile says otherwise. Links are packed as what they say.
 */
export async function* packContext(folder: ContextFolder): AsyncGenerator<Uint8Array> {
  yield* packChildren(folder, "");
  yield* packFiles(folder.added);
}

/** Packs contents under their names, to the archive's end. */
export function* packFiles(files: ReadonlyMap<string, Uint8Array>): Generator<Uint8Array> {
  for (const [name, content] of files) {
    yield encodeTarEntry(describe(name, { type: "file", sizeBytes: content.length }));
    yield content;
    yield tarPadding(content.length);
  }
  yield ARCHIVE_END;
}

async function* packChildren(folder: ContextFolder, prefix: string): AsyncGenerator<Uint8Array> {
  for (const child of readdirSync(join(folder.path, prefix)).toSorted()) {
    const name = `${prefix}${child}`;
    if (folder.added.has(name)) continue;
    const facts = lstatSync(join(folder.path, name), { throwIfNoEntry: false });
    if (facts === undefined) continue;
    const isLeftOut = folder.rules.ignores(name) && !folder.always.includes(name);
    const more = { mode: facts.mode & MODE_BITS, mtime: timeOf(facts.mtimeMs) };
    if (facts.isDirectory()) {
      if (!isLeftOut) yield encodeTarEntry(describe(`${name}/`, { ...more, type: "directory" }));
      if (!isLeftOut || mayHoldMore(folder, name)) yield* packChildren(folder, `${name}/`);
    } else if (isLeftOut) continue;
    else if (facts.isSymbolicLink()) {
      const linkName = byteString(readlinkSync(join(folder.path, name)));
      yield encodeTarEntry(describe(name, { ...more, type: "symlink", linkName }));
    } else if (facts.isFile())
      yield* packFile(join(folder.path, name), describe(name, { ...more, type: "file" }));
  }
}

/** Whether something below a directory that is left out is sent after all. */
function mayHoldMore({ rules, always }: ContextFolder, name: string): boolean {
  return rules.hasExceptions || always.some((path) => path.startsWith(`${name}/`));
}

/** As many bytes as it has when it is opened: of one that grows meanwhile no more, of one that shrinks zeros for the rest. */
export async function* packFile(path: string, entry: TarEntry): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    yield encodeTarEntry({ ...entry, sizeBytes: size });
    for (let at = 0; at < size; ) {
      const piece = Buffer.alloc(Math.min(READ_BYTES, size - at));
      await file.read(piece, 0, piece.length, at);
      yield piece;
      at += piece.length;
    }
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

function describe(name: string, more: Pick<TarEntry, "type"> & Partial<TarEntry>): TarEntry {
  return {
    ...{ name: byteString(name), linkName: "", mode: FILE_MODE, uid: 0, gid: 0, sizeBytes: 0 },
    ...{ mtime: { seconds: 0, nanos: 0 }, major: 0, minor: 0, xattrs: new Map() },
    ...more,
  };
}

function timeOf(ms: number): TarEntry["mtime"] {
  return { seconds: Math.floor(ms / 1000), nanos: 0 };
}

/** One character per byte, as names in archives are. */
function byteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}
