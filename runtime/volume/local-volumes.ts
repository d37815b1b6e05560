import { closeSync, fstatSync, readdirSync } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { replaceFile } from "../image/store/durable-file.ts";
import { systemError } from "../linux/libc.ts";
import { makeFolder } from "../linux/make-folder.ts";
import { findInRoot, PATH_ONLY } from "../linux/open-in-root.ts";
import { runProgram } from "../linux/run.ts";
import type { Volume, Volumes } from "./types.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/;
const CP = "/bin/cp";
const COPY_TIMEOUT_MS = 600_000;
const MESSAGE_BYTES_MAX = 4096;
const MODE_BITS = 0o7777;

/** A mount that may be of a volume. */
export interface VolumeMount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** The volume's directory. */
  readonly hostPath: string;
  readonly target: string;
  readonly noCopy: boolean;
}

/** Volumes as directories `<root>/<name>/_data`, as Docker lays them out, with `volume.json` beside. What has data is a volume. */
export class LocalVolumes implements Volumes {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #volumes = new Map<string, Volume>();
  /** By path: two containers must not fill the same volume at once. */
  readonly #filling = new Map<string, Promise<void>>();
  #isUsed: (name: string) => boolean = () => false;

  private constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  static async open(root: string, clock: Clock): Promise<LocalVolumes> {
    const volumes = new LocalVolumes(root, clock);
    await mkdir(root, { recursive: true, mode: 0o711 });
    for (const name of await readdir(root))
      if (NAME.test(name)) volumes.#volumes.set(name, await volumes.#read(name));
    return volumes;
  }

  /** Who is asked before a volume is removed: whether a container uses it. */
  protectWith(isUsed: (name: string) => boolean): void {
    this.#isUsed = isUsed;
  }

  async ensure(name: string, labels: Readonly<Record<string, string>> = {}): Promise<Volume> {
    const existing = this.#volumes.get(name);
    if (existing !== undefined) return existing;
    if (!NAME.test(name))
      throw new ClusterError(
        "InvalidArgument",
        `invalid volume name ${JSON.stringify(name.slice(0, 100))}: want letters, digits and _ . -, beginning with a letter or digit`,
      );
    const path = this.#pathOf(name);
    const volume = { name, path, createdAtMs: this.#clock.nowMs(), labels };
    try {
      await makeFolder(path, 0o755);
      await replaceFile(join(this.#root, name, "volume.json"), JSON.stringify(volume));
    } catch (error) {
      // Half of one must not be a volume at the next open; unless it is another's by now.
      if (!this.#volumes.has(name))
        await rm(join(this.#root, name), { recursive: true, force: true });
      throw systemError(error, `create volume ${name}`);
    }
    // Whoever came second while the first was writing gets the first one's.
    const made = this.#volumes.get(name) ?? volume;
    this.#volumes.set(name, made);
    return made;
  }

  list(): readonly Volume[] {
    return [...this.#volumes.values()];
  }

  get(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (volume !== undefined) return volume;
    throw new ClusterError("NotFound", `no such volume: ${name.slice(0, 255)}`);
  }

  async remove(name: string): Promise<void> {
    this.get(name);
    if (this.#isUsed(name))
      throw new ClusterError(
        "FailedPrecondition",
        `cannot remove volume ${name}: a container uses it`,
      );
    await this.removeIfAny(name);
  }

  /** For a container's own volumes: no question, no error when it is gone already. */
  async removeIfAny(name: string): Promise<void> {
    if (!this.#volumes.delete(name)) return;
    // Under another name first: a half removed volume must not come back at the next open.
    const doomed = join(this.#root, `.${name}.removed`);
    await rename(join(this.#root, name), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  /**
   * Fills an empty volume with what the image has at the mount's target, owner and mode included. Nothing to do for other
   * mounts, for `noCopy` and for a volume that has something.
   *
   * @param rootfs where the container's root file system is mounted; nothing in it can lead outside.
   * @throws {ClusterError} Internal when the copy fails.
   */
  async maybePopulate(mount: VolumeMount, rootfs: string): Promise<void> {
    if (mount.type !== "volume" || mount.noCopy) return;
    const before = this.#filling.get(mount.hostPath) ?? Promise.resolve();
    const filled = before.catch(() => {}).then(() => populate(mount, rootfs, this.#clock));
    this.#filling.set(mount.hostPath, filled);
    try {
      await filled;
    } finally {
      if (this.#filling.get(mount.hostPath) === filled) this.#filling.delete(mount.hostPath);
    }
  }

  #pathOf(name: string): string {
    return join(this.#root, name, "_data");
  }

  /** What the file does not say, or no longer, the directory does. */
  async #read(name: string): Promise<Volume> {
    const path = this.#pathOf(name);
    const { birthtimeMs } = await stat(join(this.#root, name));
    const fallback = { name, path, createdAtMs: birthtimeMs, labels: {} };
    await mkdir(path, { recursive: true });
    try {
      const stored = JSON.parse(
        await readFile(join(this.#root, name, "volume.json"), "utf8"),
      ) as Volume;
      return { ...fallback, createdAtMs: stored.createdAtMs, labels: stored.labels };
    } catch {
      return fallback;
    }
  }
}

async function populate(mount: VolumeMount, rootfs: string, clock: Clock): Promise<void> {
  if (readdirSync(mount.hostPath).length > 0) return;
  const source = findInRoot(rootfs, mount.target, PATH_ONLY);
  if (source === undefined) return;
  try {
    const { uid, gid, mode } = fstatSync(source);
    await chown(mount.hostPath, uid, gid);
    await chmod(mount.hostPath, mode & MODE_BITS);
    if (readdirSync(`/proc/self/fd/${source}`).length === 0) return;
    // By the open handle: its path could be a link again by the time cp follows it.
    const from = `/proc/${process.pid}/fd/${source}/.`;
    const { exitCode, output } = await runProgram(
      {
        path: CP,
        args: ["-a", "--", from, mount.hostPath],
        outputBytesMax: MESSAGE_BYTES_MAX,
        timeoutMs: COPY_TIMEOUT_MS,
      },
      clock,
    );
    if (exitCode !== 0)
      throw new ClusterError(
        "Internal",
        `cannot fill the volume at ${mount.target} from the image: ${output.trim()}`,
      );
  } finally {
    closeSync(source);
  }
}
