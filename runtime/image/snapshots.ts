import { mkdir, readdir, readFile, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../core/assert.ts";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { systemError } from "../linux/libc.ts";
import { makeFolder } from "../linux/make-folder.ts";
import { detach, isMountPoint, mountOverlay } from "../linux/mount.ts";
import { parseDigest } from "./digest.ts";
import { parseJsonObject, textAt, textsAt } from "./json.ts";
import { LAYERS_MAX } from "./manifest.ts";
import { EMPTY_LAYER, type LayerStore } from "./store/layer-store.ts";
import { Trash } from "./store/trash.ts";
import type { Digest, Image, Rootfs } from "./types.ts";

/** What a container's root file system stands on. */
interface Snapshot {
  readonly imageId: Digest;
  readonly layers: readonly Digest[];
}

const RECORD = "rootfs.json";
const CONTAINER_ID = /^[a-zA-Z0-9_-]{1,128}$/;

/**
 * The writable part of containers: `containers/<id>/` with overlayfs's `diff`, `work` and `merged`, and `rootfs.json`, which
 * says what lies below and is written last. What has no record at open was half made and goes. What is removed is moved to
 * `trash/` and goes from there aside.
 */
export class Snapshots {
  readonly #directory: string;
  readonly #layers: LayerStore;
  readonly #trash: Trash;
  readonly #snapshots = new Map<string, Snapshot>();
  /** By mount point, those whose unions the kernel is still giving up. */
  readonly #leaving = new Map<string, Promise<void>>();

  private constructor(directory: string, layers: LayerStore, trash: Trash) {
    this.#directory = join(directory, "containers");
    this.#layers = layers;
    this.#trash = trash;
  }

  static async open(directory: string, layers: LayerStore, log: Log): Promise<Snapshots> {
    const trash = await Trash.open(join(directory, "trash"), log);
    const snapshots = new Snapshots(directory, layers, trash);
    await mkdir(snapshots.#directory, { recursive: true });
    for (const id of await readdir(snapshots.#directory)) {
      try {
        const record = await readFile(join(snapshots.#pathOf(id), RECORD));
        snapshots.#snapshots.set(id, parseRecord(record));
      } catch (error) {
        log.warn("removing a root file system that was half made", {
          container: id,
          error: errorMessage(error),
        });
        await snapshots.remove(id);
      }
    }
    return snapshots;
  }

  /** Layers that must stay. */
  get layers(): ReadonlySet<Digest> {
    return new Set([...this.#snapshots.values()].flatMap((snapshot) => snapshot.layers));
  }

  /** The image of a container; undefined when it has no root file system. */
  imageOf(containerId: string): Digest | undefined {
    return this.#snapshots.get(containerId)?.imageId;
  }

  /** What a container has changed: its upper directory. */
  upperDirOf(containerId: string): string {
    return join(this.#pathOf(containerId), "diff");
  }

  /** Containers made from the image. */
  usersOf(imageId: Digest): readonly string[] {
    const users = [...this.#snapshots].filter(([, snapshot]) => snapshot.imageId === imageId);
    return users.map(([id]) => id);
  }

  /** @throws {ClusterError} ResourceExhausted when the disk is full. */
  async prepare(image: Pick<Image, "id" | "layers">, containerId: string): Promise<Rootfs> {
    const existing = this.#snapshots.get(containerId);
    const snapshot = existing ?? { imageId: image.id, layers: image.layers };
    const rootfs = this.#rootfs(containerId, snapshot);
    if (existing !== undefined) return rootfs;
    // Before the first await: from now on the layers are in use.
    this.#snapshots.set(containerId, snapshot);
    try {
      await makeFolder(rootfs.upperDir, 0o755);
      await Promise.all([mkdir(rootfs.workDir), mkdir(rootfs.merged)]);
      await this.#record(containerId, snapshot);
      return rootfs;
    } catch (error) {
      await this.remove(containerId);
      throw systemError(error, `make the root file system of container ${containerId}`);
    }
  }

  /** Mounts it; nothing to do when it is mounted. */
  async mount({ lowerDirs, upperDir, workDir, merged }: Rootfs): Promise<void> {
    // Two unions over one upper directory would not agree.
    await this.#leaving.get(merged);
    if (isMountPoint(merged)) return;
    mountOverlay({ lowerDirs, upper: { dir: upperDir, workDir }, target: merged });
  }

  /** Nothing is mounted there any more, though what was may still be written to the disk. No error when nothing was. */
  async unmount(merged: string): Promise<void> {
    const { released } = await detach(merged);
    const forget = () => {
      if (this.#leaving.get(merged) === left) this.#leaving.delete(merged);
    };
    const left = released.then(forget, forget);
    this.#leaving.set(merged, left);
  }

  /** Unmounts it and takes it away. No error when there is none. */
  async remove(containerId: string): Promise<void> {
    const directory = this.#pathOf(containerId);
    const merged = join(directory, "merged");
    await this.unmount(merged);
    await removeEmpty(merged);
    await this.#trash.take(directory, this.#leaving.get(merged));
    this.#snapshots.delete(containerId);
  }

  /** Ends what goes on aside. Files stay as they are. */
  close(): Promise<void> {
    return this.#trash.close();
  }

  #pathOf(containerId: string): string {
    assert(CONTAINER_ID.test(containerId), `container id ${containerId} is no file name`);
    return join(this.#directory, containerId);
  }

  #rootfs(containerId: string, { layers }: Snapshot): Rootfs {
    const directory = this.#pathOf(containerId);
    return {
      lowerDirs: lowerLayers(layers).map((diffId) => this.#layers.path(diffId)),
      upperDir: join(directory, "diff"),
      workDir: join(directory, "work"),
      merged: join(directory, "merged"),
    };
  }

  /** Not flushed: after a power cut the container has stopped, and a record that is missing only means that it goes. */
  async #record(containerId: string, snapshot: Snapshot): Promise<void> {
    const path = join(this.#pathOf(containerId), RECORD);
    await writeFile(`${path}.tmp`, JSON.stringify(snapshot));
    await rename(`${path}.tmp`, path);
  }
}

/**
 * Uppermost first. Overlayfs refuses one directory twice; of a layer that comes twice the upper one is enough, since whatever
 * the lower one has is in the upper one too.
 */
function lowerLayers(layers: readonly Digest[]): readonly Digest[] {
  return layers.length === 0 ? [EMPTY_LAYER] : [...new Set(layers.toReversed())];
}

function parseRecord(bytes: Uint8Array): Snapshot {
  const record = parseJsonObject(bytes, "root file system record");
  return {
    imageId: parseDigest(textAt(record.imageId, "image id")),
    layers: textsAt(record.layers, "layers", LAYERS_MAX).map(parseDigest),
  };
}

/** Fails when something is still mounted or in it: removing recursively would reach into a container's volumes. */
async function removeEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw systemError(error, `remove ${path}`);
  }
}
