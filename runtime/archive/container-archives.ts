import { closeSync, fstatSync } from "node:fs";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { TarReader } from "../../core/tar/tar-reader.ts";
import { ARCHIVE_END } from "../../core/tar/tar-writer.ts";
import { lookUpUser } from "../container/bundle.ts";
import type { RootView } from "../container/root-views.ts";
import type { Container, ContainerId, ContainerRoots, Containers } from "../container/types.ts";
import { decompressed } from "../image/layer/decompress.ts";
import { TreePacker } from "../image/layer/pack-tree.ts";
import { OpenDirectory } from "../linux/open-directory.ts";
import { openInRoot } from "../linux/open-in-root.ts";
import { readArchivePath } from "./archive-path.ts";
import { holdPath, type PathStat, realPath, statEntry } from "./path-stat.ts";
import { TreeUnpacker } from "./tree-unpacker.ts";
import { refuseReadOnly } from "./writable.ts";

/** Of one archive, unpacked: what a bomb is stopped at. */
export const ARCHIVE_BYTES_MAX = 64 * 1024 ** 3;
const O_PATH = 0o10000000;

export interface UnpackRequest {
  /** Of a directory in the container; links are followed, the last part too. */
  readonly path: string;
  readonly archive: AsyncIterator<Uint8Array>;
  /** Everything belongs to the container's user instead of whom the archive names. */
  readonly asUser: boolean;
  /** Refuses to put a file in the place of a directory, or a directory in that of a file. */
  readonly keepsKinds: boolean;
}

/** Files going into containers and out of them as archives, whether they run or not. */
export class ContainerArchives {
  readonly #containers: ContainerRoots & Pick<Containers, "get">;

  constructor(containers: ContainerRoots & Pick<Containers, "get">) {
    this.#containers = containers;
  }

  /** @throws {ClusterError} NotFound, InvalidArgument. */
  async stat(id: ContainerId, path: string): Promise<PathStat> {
    const asked = readArchivePath(path);
    return this.#looking(id, true, ({ root }) => {
      const entry = holdPath(root, asked);
      try {
        return statEntry(root, asked, entry);
      } finally {
        entry.close();
      }
    });
  }

  /**
   * Packs what is at a path, named as the path's last part, for as long as `send` takes.
   *
   * @throws {ClusterError} NotFound, InvalidArgument, before `send` is called.
   */
  async pack(
    id: ContainerId,
    path: string,
    send: (stat: PathStat, chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const asked = readArchivePath(path);
    await this.#looking(id, true, async ({ root }) => {
      const entry = holdPath(root, asked);
      try {
        const packed = new TreePacker("files").packEntry(entry, asked.name);
        await send(statEntry(root, asked, entry), withEnd(packed));
      } finally {
        entry.close();
      }
    });
  }

  /** Packs its root file system, without what is mounted into it. As `pack`. */
  async packRoot(
    id: ContainerId,
    send: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    await this.#looking(id, false, async ({ root }) => {
      const directory = OpenDirectory.open(root);
      try {
        await send(withEnd(new TreePacker("files").packChildren(directory, "")));
      } finally {
        directory.close();
      }
    });
  }

  /**
   * Unpacks an archive, packed or not, below a directory. What was unpacked before a failure stays, without the file that was
   * not whole.
   *
   * @throws {ClusterError} NotFound; InvalidArgument (no directory, malformed, cut off, would reach out); PermissionDenied
   *   (read-only); ResourceExhausted (a limit, disk).
   */
  async unpack(id: ContainerId, request: UnpackRequest): Promise<void> {
    const { path } = readArchivePath(request.path);
    const container = this.#containers.get(id);
    await this.#looking(id, true, async (view) => {
      const base = findDirectory(view, path);
      const { readOnlyRootfs } = container.config;
      refuseReadOnly({ mounts: container.mounts, readOnlyRootfs }, base);
      const owner = request.asUser ? userOf(container, view) : undefined;
      const { keepsKinds } = request;
      await feed(request.archive, new TreeUnpacker(view.root, base, { owner, keepsKinds }));
    });
  }

  async #looking<T>(
    id: ContainerId,
    withMounts: boolean,
    work: (view: RootView) => T | Promise<T>,
  ): Promise<T> {
    const view = await this.#containers.openView(id, withMounts);
    try {
      return await work(view);
    } finally {
      await view.close();
    }
  }
}

/** @returns the real path of a directory in the container. */
function findDirectory({ root }: RootView, path: string): string {
  const fd = openInRoot(root, path, O_PATH);
  try {
    if (fstatSync(fd).isDirectory()) return realPath(fd);
    throw new ClusterError("InvalidArgument", "extraction point is not a directory");
  } finally {
    closeSync(fd);
  }
}

/** One that says no user leaves everything with the owners the archive names. Source: moby, tarCopyOptions. */
function userOf(container: Container, { root }: RootView) {
  const { config, imageConfig } = container;
  if (config.user === "" && imageConfig.user === "") return undefined;
  const { uid, gid } = lookUpUser(container, root);
  return { uid, gid };
}

async function feed(archive: AsyncIterator<Uint8Array>, unpacker: TreeUnpacker): Promise<void> {
  const reader = new TarReader(unpacker);
  let bytes = 0;
  try {
    for await (const chunk of decompressed(archive)) {
      bytes += chunk.length;
      if (bytes > ARCHIVE_BYTES_MAX)
        throw new ClusterError(
          "ResourceExhausted",
          `archive is larger than ${ARCHIVE_BYTES_MAX} bytes`,
        );
      reader.push(chunk);
      // Streams hand over what they have buffered without a pause: let heartbeats and requests have their turn.
      await eventLoopTurn();
    }
    reader.finish();
    unpacker.finish();
  } catch (error) {
    throw isCutOff(error)
      ? new ClusterError("InvalidArgument", errorMessage(error), { cause: error })
      : error;
  } finally {
    unpacker.close();
  }
}

/** The archive's fault or that of who sent it, not ours: it is damaged, or the sender has gone. */
function isCutOff(error: unknown): boolean {
  if (error instanceof ClusterError) return error.code === "DataLoss";
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

async function* withEnd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* packed;
  yield ARCHIVE_END;
}
