import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import { replaceFile } from "../image/store/durable-file.ts";
import { systemError } from "../linux/libc.ts";
import { makeFolder } from "../linux/make-folder.ts";
import { mountsBelow } from "../linux/mount-table.ts";
import type { Volume } from "./types.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What is being removed has such a name: no volume's. */
const DOOMED = /^\..*\.removed$/s;

/** Volumes on disk: `<root>/<name>/_data`, as Docker lays them out, with `volume.json` beside. What has data is a volume. */
export class VolumeFolders {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes the root if it is missing, and takes away what an earlier process was removing. */
  static async open(root: string): Promise<VolumeFolders> {
    await mkdir(root, { recursive: true, mode: 0o711 });
    // As the kernel names it where something is mounted.
    const folders = new VolumeFolders(await realpath(root));
    for (const name of await readdir(folders.#root))
      if (DOOMED.test(name)) await folders.#erase(join(folders.#root, name));
    return folders;
  }

  pathOf(name: string): string {
    return join(this.#root, name, "_data");
  }

  async readAll(): Promise<Volume[]> {
    const volumes: Volume[] = [];
    for (const name of await readdir(this.#root))
      if (NAME.test(name)) volumes.push(await this.#read(name));
    return volumes;
  }

  /** @throws {ClusterError} ResourceExhausted when the disk is full; then nothing of it stays. */
  async make(volume: Volume): Promise<void> {
    const directory = join(this.#root, volume.name);
    try {
      await makeFolder(volume.path, 0o755);
      await replaceFile(join(directory, "volume.json"), JSON.stringify(volume));
    } catch (error) {
      // Half of one must not be a volume at the next open.
      await rm(directory, { recursive: true, force: true });
      throw systemError(error, `create volume ${volume.name}`);
    }
  }

  /** @throws {ClusterError} FailedPrecondition while something is mounted in it: erasing would reach into that. */
  async remove(name: string): Promise<void> {
    const directory = join(this.#root, name);
    const [mounted] = mountsBelow(directory);
    if (mounted !== undefined)
      throw new ClusterError(
        "FailedPrecondition",
        `remove ${name}: volume has active mounts: ${mounted}`,
      );
    // Under another name first: a half removed volume must not come back at the next open.
    const doomed = join(this.#root, doomedName(name));
    // One that an earlier removal did not get rid of.
    await this.#erase(doomed);
    await renameIfAny(directory, doomed);
    await this.#erase(doomed);
  }

  async #erase(directory: string): Promise<void> {
    if (!existsSync(directory) || mountsBelow(directory).length > 0) return;
    await rm(directory, { recursive: true, force: true });
  }

  /** What the file does not say, or no longer, the directory does. */
  async #read(name: string): Promise<Volume> {
    const path = this.pathOf(name);
    const { birthtimeMs } = await stat(join(this.#root, name));
    const fallback = { name, path, createdAtMs: birthtimeMs, labels: {}, options: {} };
    await mkdir(path, { recursive: true });
    try {
      const text = await readFile(join(this.#root, name, "volume.json"), "utf8");
      const { createdAtMs, labels, options = {} } = JSON.parse(text) as Volume;
      return { ...fallback, createdAtMs, labels, options };
    } catch {
      return fallback;
    }
  }
}

/** As long as any name's: a name itself may be as long as a folder's can be. */
function doomedName(name: string): string {
  return `.${createHash("sha256").update(name).digest("hex")}.removed`;
}

/** Somebody may have removed it by hand. */
async function renameIfAny(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
