import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { ClusterError } from "../../../core/errors.ts";
import { systemError } from "../../linux/libc.ts";
import { digestHex, digestOfHex, isDigest } from "../digest.ts";
import type { Digest } from "../types.ts";
import { renameDurably, syncDirectory } from "./durable-file.ts";

const READ_BYTES = 256 * 1024;

/** The digest of some bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestOfHex(createHash("sha256").update(bytes).digest("hex"));
}

/**
 * Blobs by their digest, in an OCI image layout: `blobs/sha256/<hex>`.
 *
 * A blob is there whole or not at all: it is written under `ingest/`, flushed, checked and renamed. What a killed process
 * left under `ingest/` goes at the next open.
 */
export class ContentStore {
  readonly #blobs: string;
  readonly #ingest: string;

  private constructor(directory: string) {
    this.#blobs = join(directory, "blobs", "sha256");
    this.#ingest = join(directory, "ingest");
  }

  /** Makes the directories that are missing. One process at a time: whoever owns the data root. */
  static async open(directory: string): Promise<ContentStore> {
    const store = new ContentStore(directory);
    await rm(store.#ingest, { recursive: true, force: true });
    await mkdir(store.#blobs, { recursive: true });
    await mkdir(store.#ingest);
    await syncDirectory(directory);
    return store;
  }

  /** Where the blob is or would be. */
  path(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }

  /** Its size in bytes, undefined when it is not there. */
  async findSize(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw systemError(error, `read ${this.path(digest)}`);
    }
  }

  /** A small blob, checked again. @throws {ClusterError} NotFound, DataLoss, ResourceExhausted above `bytesMax`. */
  async read(digest: Digest, bytesMax: number): Promise<Uint8Array> {
    const size = await this.findSize(digest);
    if (size === undefined)
      throw new ClusterError("NotFound", `blob ${digest} is not on this machine`);
    if (size > bytesMax)
      throw new ClusterError(
        "ResourceExhausted",
        `blob ${digest} is larger than ${bytesMax} bytes`,
      );
    const bytes = await readFile(this.path(digest));
    if (digestOf(bytes) !== digest)
      throw new ClusterError(
        "DataLoss",
        `${this.path(digest)} does not have its digest: it is damaged`,
      );
    return bytes;
  }

  /** A blob piece by piece, as it is on disk. */
  stream(digest: Digest): Readable {
    return createReadStream(this.path(digest), { highWaterMark: READ_BYTES });
  }

  /** Stores a small blob. */
  async put(bytes: Uint8Array): Promise<Digest> {
    const writer = await this.startBlob();
    try {
      await writer.write(bytes);
      return await writer.commit();
    } finally {
      await writer.close();
    }
  }

  /** Begins a blob whose bytes are still to come. The caller closes it, whatever happens. */
  async startBlob(): Promise<BlobWriter> {
    const path = join(this.#ingest, randomUUID());
    try {
      return new BlobWriter(await open(path, "wx"), path, this);
    } catch (error) {
      throw systemError(error, `write into ${this.#ingest}`);
    }
  }

  async list(): Promise<Digest[]> {
    const names = await readdir(this.#blobs);
    return names.map((name) => `sha256:${name}`).filter(isDigest);
  }

  /** No error when it is not there. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }
}

/** A blob on its way. Nobody sees it before `commit`. */
export class BlobWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #store: ContentStore;
  #hash = createHash("sha256");
  #sizeBytes = 0;
  #committed = false;

  constructor(file: FileHandle, path: string, store: ContentStore) {
    this.#file = file;
    this.#path = path;
    this.#store = store;
  }

  /** Bytes written so far: where a broken download goes on. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** @throws {ClusterError} ResourceExhausted when the disk is full. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    try {
      for (let written = 0; written < bytes.length; )
        written += (await this.#file.write(bytes, written)).bytesWritten;
    } catch (error) {
      throw systemError(error, `write ${this.#path}`);
    }
    this.#sizeBytes += bytes.length;
  }

  /** Forgets what was written. */
  async restart(): Promise<void> {
    this.#hash = createHash("sha256");
    this.#sizeBytes = 0;
    await this.#file.truncate();
  }

  /**
   * Makes the blob visible, on disk.
   *
   * @throws {ClusterError} DataLoss when its digest is not `expected`; it is removed at `close`.
   */
  async commit(expected?: Digest): Promise<Digest> {
    const digest = digestOfHex(this.#hash.copy().digest("hex"));
    if (expected !== undefined && digest !== expected)
      throw new ClusterError("DataLoss", `content has digest ${digest}, wanted ${expected}`);
    try {
      await this.#file.sync();
      await renameDurably(this.#path, this.#store.path(digest));
    } catch (error) {
      throw systemError(error, `write ${this.#store.path(digest)}`);
    }
    this.#committed = true;
    return digest;
  }

  /** Ends it; what was not committed is removed. */
  async close(): Promise<void> {
    await this.#file.close();
    if (!this.#committed) await rm(this.#path, { force: true });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
