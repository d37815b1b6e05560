import { closeSync, constants } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import { type TarEntry, TarReader, type TarSink } from "../../core/tar/tar-reader.ts";
import { ARCHIVE_BYTES_MAX } from "../archive/container-archives.ts";
import { TreeUnpacker } from "../archive/tree-unpacker.ts";
import { TreePacker } from "../image/layer/pack-tree.ts";
import type { OpenEntry } from "../linux/open-directory.ts";
import { findInRoot } from "../linux/open-in-root.ts";
import { holdSource } from "./copy-sources.ts";
import type { CopyTarget } from "./copy-target.ts";
import type { InlineFile } from "./dockerfile/instruction.ts";
import { archiveIn } from "./local-archive.ts";
import type { Owner } from "./owner.ts";

/** One source and what is done to it. */
export interface CopyJob {
  readonly sourceRoot: string;
  /** Below it; empty: all of it. */
  readonly path: string;
  readonly target: CopyTarget;
  /** Undefined: as they are. */
  readonly owner: Owner | undefined;
  /** Undefined: as they are. */
  readonly mode: number | undefined;
  /** An archive is unpacked. */
  readonly unpacks: boolean;
  readonly signal: AbortSignal;
}

const O_PATH = 0o10000000;
const FILE_MODE = 0o644;

/**
 * Copies a file, or all that is in a directory, to where it goes below `root`. Links on the way to the target are followed
 * as a container would follow them; nothing outside of `root` is reached.
 *
 * @throws {ClusterError} InvalidArgument, NotFound, ResourceExhausted, Cancelled.
 */
export async function copyFiles(root: string, job: CopyJob): Promise<void> {
  const entry = holdSource(job.sourceRoot, job.path);
  if (entry.facts.isDirectory()) {
    await copyDirectory(root, entry, job);
    return;
  }
  const archive = job.unpacks ? await archiveIn(entry) : undefined;
  if (archive === undefined) {
    const name = job.path.slice(job.path.lastIndexOf("/") + 1);
    await feed(
      root,
      new TreePacker("files").packEntry(entry, placeOf(root, job.target, name)),
      job,
    );
    return;
  }
  try {
    // Owners are the archive's own, as in Docker.
    const asIs = { ...job, owner: undefined, mode: undefined };
    await feed(root, archive, asIs, prefixOf(job.target));
  } finally {
    entry.close();
  }
}

/** Puts a text of the Dockerfile where it goes. */
export function writeInlineFile(
  root: string,
  { name, content }: InlineFile,
  { target, owner, mode }: Pick<CopyJob, "target" | "owner" | "mode">,
): void {
  const bytes = Buffer.from(content);
  const unpacker = new TreeUnpacker(root, "/", { owner, keepsKinds: false });
  try {
    unpacker.onEntry({
      ...{ type: "file", name: placeOf(root, target, name), linkName: "", uid: 0, gid: 0 },
      ...{ mode: mode ?? FILE_MODE, sizeBytes: bytes.length, mtime: { seconds: 0, nanos: 0 } },
      ...{ major: 0, minor: 0, xattrs: new Map() },
    });
    unpacker.onContent(bytes);
    unpacker.onEntryEnd();
    unpacker.finish();
  } finally {
    unpacker.close();
  }
}

/** Makes a directory with all above it. */
export function makeDirectory(root: string, path: string): void {
  if (isDirectoryIn(root, path)) return;
  const unpacker = new TreeUnpacker(root, "/", { owner: { uid: 0, gid: 0 }, keepsKinds: true });
  try {
    unpacker.onEntry({
      ...{ type: "directory", name: byteString(path), linkName: "", uid: 0, gid: 0 },
      ...{ mode: 0o755, sizeBytes: 0, mtime: { seconds: 0, nanos: 0 } },
      ...{ major: 0, minor: 0, xattrs: new Map() },
    });
    unpacker.onEntryEnd();
  } finally {
    unpacker.close();
  }
}

/** What is in it goes into the target; one that is new is like it. */
async function copyDirectory(root: string, entry: OpenEntry, job: CopyJob): Promise<void> {
  const { path } = job.target;
  const packer = new TreePacker("files");
  if (!isDirectoryIn(root, path)) {
    refuseOverFile(root, path);
    // What is above it is root's, whoever it is given to.
    makeDirectory(root, path.slice(0, path.lastIndexOf("/")));
    await feed(root, packer.packEntry(entry, byteString(path.slice(1))), job);
    return;
  }
  const directory = entry.openDirectory();
  entry.close();
  try {
    await feed(root, packer.packChildren(directory, prefixOf(job.target)), job);
  } finally {
    directory.close();
  }
}

/** The name in the archive that leads to where a file goes: into a directory that is there, or was meant. */
function placeOf(root: string, { path, isDirectory }: CopyTarget, name: string): string {
  const isInside = isDirectory || isDirectoryIn(root, path);
  return byteString((isInside ? `${path}/${name}` : path).slice(1));
}

function prefixOf({ path }: CopyTarget): string {
  return path === "" ? "" : `${byteString(path.slice(1))}/`;
}

async function feed(
  root: string,
  chunks: AsyncIterable<Uint8Array>,
  { owner, mode, signal }: Pick<CopyJob, "owner" | "mode" | "signal">,
  prefix = "",
): Promise<void> {
  const unpacker = new TreeUnpacker(root, "/", { owner, keepsKinds: false });
  const reader = new TarReader(new ChangedSink(unpacker, mode, prefix));
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > ARCHIVE_BYTES_MAX)
        throw new ClusterError("ResourceExhausted", `more than ${ARCHIVE_BYTES_MAX} bytes to copy`);
      if (signal.aborted) throw new ClusterError("Cancelled", "Build cancelled");
      reader.push(chunk);
    }
    unpacker.finish();
  } finally {
    unpacker.close();
  }
}

/** Names and modes as they are to be. */
class ChangedSink implements TarSink {
  readonly #sink: TarSink;
  readonly #mode: number | undefined;
  readonly #prefix: string;

  constructor(sink: TarSink, mode: number | undefined, prefix: string) {
    this.#sink = sink;
    this.#mode = mode;
    this.#prefix = prefix;
  }

  onEntry(entry: TarEntry): void {
    const linkName = entry.type === "hardLink" ? this.#prefix + entry.linkName : entry.linkName;
    const mode = this.#mode ?? entry.mode;
    this.#sink.onEntry({ ...entry, name: this.#prefix + entry.name, linkName, mode });
  }
  onContent(bytes: Uint8Array): void {
    this.#sink.onContent(bytes);
  }
  onEntryEnd(): void {
    this.#sink.onEntryEnd();
  }
}

function isDirectoryIn(root: string, path: string): boolean {
  const fd = findInRoot(root, `${path}/`, O_PATH | constants.O_DIRECTORY);
  if (fd !== undefined) closeSync(fd);
  return fd !== undefined;
}

/** @throws {ClusterError} InvalidArgument. */
function refuseOverFile(root: string, path: string): void {
  const fd = findInRoot(root, path, O_PATH);
  if (fd === undefined) return;
  closeSync(fd);
  throw new ClusterError("InvalidArgument", `cannot copy to non-directory: ${path}`);
}

/** One character per byte, as names in archives are. */
function byteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}
