import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { encodeTarEntry } from "../../core/tar/tar-encode.ts";
import type { TarEntry } from "../../core/tar/tar-reader.ts";
import { ARCHIVE_END } from "../../core/tar/tar-writer.ts";
import { packFile } from "../build/pack-context.ts";
import type { Kind } from "./copy-target.ts";

const MODE_BITS = 0o7777;
const MS_PER_S = 1000;
const NS_PER_MS = 1_000_000;

export interface PackOptions {
  /** Owners are told; else all is root's. */
  readonly keepsOwners: boolean;
  /** Of what is not packed: sockets, devices. */
  readonly warn: (text: string) => void;
}

/** What is at a path here. @param follows also through a link. */
export function localKind(path: string, follows: boolean): Kind {
  const facts = (follows ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  if (facts === undefined) return "nothing";
  return facts.isDirectory() ? "directory" : "file";
}

/** Packs a file or directory of this machine under a name. @param follows links at the path itself. */
export async function* packLocal(
  path: string,
  name: string,
  follows: boolean,
  options: PackOptions,
): AsyncGenerator<Uint8Array> {
  yield* packPath(path, name, follows ? statSync(path) : lstatSync(path), options);
  yield ARCHIVE_END;
}

async function* packPath(
  path: string,
  name: string,
  facts: Stats,
  options: PackOptions,
): AsyncGenerator<Uint8Array> {
  if (facts.isDirectory()) {
    yield encodeTarEntry(describe(facts, { type: "directory", name: `${name}/` }, options));
    for (const child of readdirSync(path).toSorted()) {
      const inside = join(path, child);
      const found = lstatSync(inside, { throwIfNoEntry: false });
      if (found !== undefined) yield* packPath(inside, `${name}/${child}`, found, options);
    }
  } else if (facts.isSymbolicLink()) {
    const linkName = latin1(readlinkSync(path));
    yield encodeTarEntry(describe(facts, { type: "symlink", name, linkName }, options));
  } else if (facts.isFile()) {
    yield* packFile(path, describe(facts, { type: "file", name }, options));
  } else options.warn(`left out ${path}: neither a file nor a directory nor a link\n`);
}

function describe(
  facts: Stats,
  more: Pick<TarEntry, "type" | "name"> & Partial<TarEntry>,
  { keepsOwners }: PackOptions,
): TarEntry {
  const seconds = Math.floor(facts.mtimeMs / MS_PER_S);
  const nanos = Math.floor((facts.mtimeMs - seconds * MS_PER_S) * NS_PER_MS);
  return {
    linkName: "",
    mode: facts.mode & MODE_BITS,
    uid: keepsOwners ? facts.uid : 0,
    gid: keepsOwners ? facts.gid : 0,
    sizeBytes: 0,
    mtime: { seconds, nanos },
    major: 0,
    minor: 0,
    xattrs: new Map(),
    ...more,
    name: latin1(more.name),
  };
}

/** Names in archives are byte strings. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
