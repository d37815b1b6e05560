import { createHash, randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../../../core/errors.ts";
import { contentBytes } from "../../linux/content-bytes.ts";
import { syncFileSystem } from "../../linux/files.ts";
import { systemError } from "../../linux/libc.ts";
import { removeTree } from "../../linux/open-directory.ts";
import { digestHex, digestOfHex, isDigest } from "../digest.ts";
import { ROOT_MODE, unpackLayer } from "../layer/unpack.ts";
import { SingleFlight } from "../single-flight.ts";
import type { Digest } from "../types.ts";
import { renameDurably, replaceFile } from "./durable-file.ts";

const DIFF = "diff";
/** Beside it: the bytes of its files, in decimal. */
const SIZE = "size";

/** The layer of an archive of no bytes, always there: what a container of an image without layers stands on. */
export const EMPTY_LAYER = digestOfHex(createHash("sha256").digest("hex"));

/**
 * Unpacked layers by the digest of their uncompressed content: `layers/<hex>/diff`, each a lower directory of overlayfs.
 *
 * A layer does not depend on those below it, so images share layers wherever these stand, and several unpack at once. A layer
 * is there whole or not at all: it is made under `tmp/`, flushed and renamed; `tmp/` is emptied at open.
 */
export class LayerStore {
  readonly #layers: string;
  readonly #temporary: string;
  readonly #unpacking = new SingleFlight<void>();
  /** Bytes of the files of each layer that is here. */
  readonly #sizes = new Map<Digest, number>();

  private constructor(directory: string) {
    this.#layers = join(directory, "layers");
    this.#temporary = join(directory, "tmp");
  }

  static async open(directory: string): Promise<LayerStore> {
    const store = new LayerStore(directory);
    await removeTree(store.#temporary);
    await mkdir(store.#layers, { recursive: true });
    await mkdir(store.#temporary, { mode: 0o700 });
    await mkdir(store.path(EMPTY_LAYER), { recursive: true });
    for (const diffId of await store.list())
      store.#sizes.set(diffId, await store.#readSize(diffId));
    return store;
  }

  /** The lower directory of a layer. */
  path(diffId: Digest): string {
    return join(this.#layers, digestHex(diffId), DIFF);
  }

  /** Bytes of its files, as Docker counts them; 0 when it is not here. */
  sizeOf(diffId: Digest): number {
    return this.#sizes.get(diffId) ?? 0;
  }

  async has(diffId: Digest): Promise<boolean> {
    return stat(this.path(diffId)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Unpacks a blob unless the layer is there. Two calls for one layer share the work.
   *
   * @throws {ClusterError} as `unpackLayer`; ResourceExhausted names the directory when the disk is full. Nothing is left behind.
   */
  async ensure(diffId: Digest, blobPath: string, signal?: AbortSignal): Promise<void> {
    const unpack = (shared: AbortSignal) =>
      this.#make(diffId, (directory) => unpackLayer(blobPath, directory, diffId, shared));
    await this.#unpacking.run(diffId, unpack, signal);
  }

  /**
   * Makes a layer of an upper directory of overlayfs as it is, unless the layer is there. In its place is an empty one then.
   *
   * @param upper on the same file system; what packing it gives has the digest `diffId`, and nobody writes to it any more.
   * @param sizeBytes of its files. @throws {ClusterError} ResourceExhausted. Nothing is left behind.
   */
  async take(diffId: Digest, upper: string, sizeBytes: number): Promise<void> {
    await this.#unpacking.run(diffId, () =>
      this.#make(diffId, async (directory) => {
        await rename(upper, directory);
        await mkdir(upper, { mode: ROOT_MODE });
        await chown(directory, 0, 0);
        await chmod(directory, ROOT_MODE);
        return sizeBytes;
      }),
    );
  }

  async list(): Promise<Digest[]> {
    const names = await readdir(this.#layers);
    return names.map((name) => `sha256:${name}`).filter(isDigest);
  }

  /** No error when it is not there. A crash in the middle leaves it under `tmp/`. */
  async remove(diffId: Digest): Promise<void> {
    if (!(await this.has(diffId))) return;
    this.#sizes.delete(diffId);
    const doomed = join(this.#temporary, randomUUID());
    await renameDurably(join(this.#layers, digestHex(diffId)), doomed);
    await removeTree(doomed);
  }

  /** @param fill makes the layer's directory, and tells the bytes of its files. */
  async #make(diffId: Digest, fill: (directory: string) => Promise<number>): Promise<void> {
    if (await this.has(diffId)) return;
    const temporary = join(this.#temporary, randomUUID());
    try {
      await mkdir(temporary);
      const size = await fill(join(temporary, DIFF));
      await writeFile(join(temporary, SIZE), String(size));
      await this.#flush(temporary);
      await renameDurably(temporary, join(this.#layers, digestHex(diffId)));
      this.#sizes.set(diffId, size);
    } catch (error) {
      await removeTree(temporary);
      throw this.#explain(error, diffId);
    }
  }

  /** Layers of older versions have no size beside them: it is counted, and written for the next time. */
  async #readSize(diffId: Digest): Promise<number> {
    const path = join(this.#layers, digestHex(diffId), SIZE);
    const text = await readFile(path, "utf8").catch(() => "");
    if (/^\d+$/.test(text)) return Number(text);
    const size = await contentBytes(this.path(diffId));
    await replaceFile(path, String(size));
    return size;
  }

  async #flush(path: string): Promise<void> {
    const directory = await open(path);
    try {
      await syncFileSystem(directory.fd, path);
    } finally {
      await directory.close();
    }
  }

  #explain(error: unknown, diffId: Digest): unknown {
    const action = `unpack layer ${diffId} into ${this.#layers}`;
    if (!(error instanceof ClusterError)) return systemError(error, action);
    return new ClusterError(error.code, `cannot ${action}: ${error.message}`, {
      details: error.details,
      cause: error,
    });
  }
}
