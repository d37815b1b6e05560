import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { MachineContainers } from "../container/types.ts";
import type { Images } from "../image/types.ts";
import { removeTree } from "../linux/open-directory.ts";

const CONTEXT = "context";
const CONTAINERS = "containers";
const ROOTS = "roots";
const ID_BYTES = 8;

/** What a build makes besides images: nothing of it outlives it. */
type Machine = {
  readonly containers: Pick<MachineContainers, "list" | "remove">;
  readonly images: Pick<Images, "removeRootfs">;
};

/**
 * A build's folder: its context, and the names of what it makes elsewhere, each written down before it is made. So the
 * process after one that was killed knows what to clear away.
 */
export class BuildFolder {
  readonly #path: string;
  readonly #machine: Machine;

  private constructor(path: string, machine: Machine) {
    this.#path = path;
    this.#machine = machine;
  }

  /** @param root of all builds' folders. */
  static async make(root: string, machine: Machine): Promise<BuildFolder> {
    const folder = new BuildFolder(join(root, randomBytes(ID_BYTES).toString("hex")), machine);
    for (const name of [CONTEXT, CONTAINERS, ROOTS])
      await mkdir(join(folder.#path, name), { recursive: true, mode: 0o700 });
    return folder;
  }

  /** Clears away what builds left that did not come to their end. */
  static async clearAll(root: string, machine: Machine, log: Log): Promise<void> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const name of await readdir(root)) {
      try {
        await new BuildFolder(join(root, name), machine).remove();
        log.info("removed what was left of a build", { build: name });
      } catch (error) {
        log.warn("cannot remove what is left of a build", {
          build: name,
          reason: errorMessage(error),
        });
      }
    }
  }

  get context(): string {
    return join(this.#path, CONTEXT);
  }

  /** A path in it that nobody uses: files that are fetched. */
  newPlace(): string {
    return join(this.#path, randomBytes(ID_BYTES).toString("hex"));
  }

  /** A name for a container that is to be made; it goes with the build. */
  async claimContainer(): Promise<string> {
    const name = `build-${randomBytes(ID_BYTES).toString("hex")}`;
    await writeFile(join(this.#path, CONTAINERS, name), "");
    return name;
  }

  /** Somebody else's from now on. */
  async leaveContainer(name: string): Promise<void> {
    await rm(join(this.#path, CONTAINERS, name), { force: true });
  }

  /** An id for a root file system that is to be made; it goes with the build. */
  async claimRoot(): Promise<string> {
    const id = `build-${randomBytes(ID_BYTES).toString("hex")}`;
    await writeFile(join(this.#path, ROOTS, id), "");
    return id;
  }

  /** It is gone. */
  async leaveRoot(id: string): Promise<void> {
    await rm(join(this.#path, ROOTS, id), { force: true });
  }

  /** Removes everything that was claimed, and the folder last. */
  async remove(): Promise<void> {
    const { containers, images } = this.#machine;
    const claimed = new Set(await namesIn(join(this.#path, CONTAINERS)));
    for (const { id, config } of containers.list())
      if (claimed.has(config.name)) await removeIfAny(() => containers.remove(id, { force: true }));
    for (const id of await namesIn(join(this.#path, ROOTS))) await images.removeRootfs(id);
    await removeTree(this.#path);
  }
}

async function removeIfAny(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "NotFound") throw error;
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch(() => []);
}
