import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { EventSink } from "../events/types.ts";
import { contentBytes } from "../linux/content-bytes.ts";
import { KeyedTurns } from "./keyed-turns.ts";
import type { PrunedVolumes, Volume, VolumeRequest, Volumes } from "./types.ts";
import { VolumeEvents, type VolumeUse } from "./volume-events.ts";
import { VolumeFolders } from "./volume-folders.ts";
import { mountVolume, unmountVolume } from "./volume-mount.ts";
import {
  checkVolumeLabels,
  checkVolumeName,
  checkVolumeOptions,
  planVolumeMount,
} from "./volume-options.ts";

/**
 * The volumes of this machine, who has them, and who has them mounted.
 *
 * A container has a volume from its creation to its removal, and uses it while it runs: what a volume's options say is mounted
 * with the first use and unmounted after the last. All that is done to one volume is done in turns, so that none is removed
 * under the hands of who is just given it.
 */
export class LocalVolumes implements Volumes {
  readonly #folders: VolumeFolders;
  readonly #clock: Clock;
  readonly #events: VolumeEvents;
  readonly #volumes = new Map<string, Volume>();
  readonly #turns = new KeyedTurns();
  /** By volume: who has it, and who uses it now. */
  readonly #users = new Bonds();
  readonly #uses = new Bonds();

  private constructor(folders: VolumeFolders, clock: Clock, events: EventSink) {
    this.#folders = folders;
    this.#clock = clock;
    this.#events = new VolumeEvents(events);
  }

  static async open(root: string, clock: Clock, events: EventSink): Promise<LocalVolumes> {
    const folders = await VolumeFolders.open(root);
    const volumes = new LocalVolumes(folders, clock, events);
    for (const volume of await folders.readAll()) volumes.#volumes.set(volume.name, volume);
    return volumes;
  }

  async create(request: VolumeRequest): Promise<Volume> {
    const { name } = request;
    return this.#turns.run(name, () => this.#ensure(request));
  }

  list(): readonly Volume[] {
    return [...this.#volumes.values()];
  }

  get(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (volume !== undefined) return volume;
    throw new ClusterError("NotFound", `get ${name.slice(0, 255)}: no such volume`);
  }

  usersOf(name: string): readonly string[] {
    return this.#users.of(name);
  }

  async remove(name: string): Promise<void> {
    await this.#turns.run(name, async () => {
      this.get(name);
      const users = this.usersOf(name);
      if (users.length > 0)
        throw new ClusterError("FailedPrecondition", inUse(name, users), {
          details: { users: users.join(",") },
        });
      await this.#erase(name);
    });
  }

  async prune(fits: (volume: Volume) => boolean): Promise<PrunedVolumes> {
    const names: string[] = [];
    let reclaimedBytes = 0;
    for (const volume of this.list()) {
      const { name, path } = volume;
      if (!fits(volume)) continue;
      const removed = await this.#turns.run(name, async () => {
        // Another may have taken it, or removed it, while it waited.
        if (this.#volumes.get(name) !== volume || this.usersOf(name).length > 0) return undefined;
        const bytes = await contentBytes(path);
        return (await this.#eraseUnlessMounted(name)) ? bytes : undefined;
      });
      if (removed === undefined) continue;
      names.push(name);
      reclaimedBytes += removed;
    }
    this.#events.pruned(reclaimedBytes);
    return { names, reclaimedBytes };
  }

  /** Gives a container a volume, made if there is none; it stays as long as the container has it. @throws as `create`. */
  async claim(request: VolumeRequest, container: string): Promise<Volume> {
    return this.#turns.run(request.name, async () => {
      const volume = await this.#ensure(request);
      this.#users.tie(volume.name, container);
      return volume;
    });
  }

  /** A container of an earlier process has these volumes, and uses them if it runs. */
  adopt(names: readonly string[], container: string, isRunning: boolean): void {
    for (const name of names) {
      this.#users.tie(name, container);
      if (isRunning) this.#uses.tie(name, container);
    }
  }

  /** The container is gone. @param own those of its volumes that go with it, unless others have them. */
  async release(container: string, own: readonly string[]): Promise<void> {
    this.#users.untie(container);
    for (const name of own)
      await this.#turns.run(name, async () => {
        if (this.#volumes.has(name) && this.usersOf(name).length === 0) await this.#erase(name);
      });
  }

  /** Makes a volume's files be there for a container that begins. @throws {ClusterError} NotFound; Internal with mount's words. */
  async mount(name: string, use: VolumeUse): Promise<void> {
    await this.#use(name, use.container);
    this.#events.mounted(name, use);
  }

  /** The container does not run, so it uses no volume. */
  async unmountAll(container: string): Promise<void> {
    for (const name of this.#uses.untie(container)) {
      this.#events.unmounted(name, container);
      await this.#turns.run(name, () => this.#unmountUnused(name));
    }
  }

  /** Somebody has a container's files, and with them this volume's, before him. @returns to be called when he has not any more. */
  tellOfView(name: string, use: VolumeUse): () => void {
    this.#events.mounted(name, use);
    return () => this.#events.unmounted(name, use.container);
  }

  /** Does something with a volume's files, which are there meanwhile. */
  async whileMounted<T>(name: string, container: string, work: () => Promise<T>): Promise<T> {
    const user = `${container} in creation`;
    await this.#use(name, user);
    try {
      return await this.#turns.run(name, work);
    } finally {
      this.#uses.untie(user);
      await this.#turns.run(name, () => this.#unmountUnused(name));
    }
  }

  /** Unmounts what an earlier process has left mounted and nobody uses. */
  async unmountUnused(): Promise<void> {
    for (const name of this.#volumes.keys())
      await this.#turns.run(name, () => this.#unmountUnused(name));
  }

  async #use(name: string, user: string): Promise<void> {
    await this.#turns.run(name, async () => {
      const { path, options } = this.get(name);
      const plan = planVolumeMount(options);
      if (plan !== undefined) await mountVolume(plan, path, this.#clock);
      this.#uses.tie(name, user);
    });
  }

  async #unmountUnused(name: string): Promise<void> {
    const volume = this.#volumes.get(name);
    if (volume === undefined || planVolumeMount(volume.options) === undefined) return;
    if (this.#uses.of(name).length === 0) await unmountVolume(volume.path);
  }

  async #ensure({ name, labels = {}, options = {} }: VolumeRequest): Promise<Volume> {
    const existing = this.#volumes.get(name);
    if (existing !== undefined) return existing;
    checkVolumeName(name);
    checkVolumeOptions(name, options);
    checkVolumeLabels(name, labels);
    const createdAtMs = this.#clock.nowMs();
    const volume = { name, path: this.#folders.pathOf(name), createdAtMs, labels, options };
    await this.#folders.make(volume);
    this.#volumes.set(name, volume);
    this.#events.happened("create", name);
    return volume;
  }

  /** @returns whether it is gone: what somebody has mounted in it stays, and the others are pruned all the same. */
  async #eraseUnlessMounted(name: string): Promise<boolean> {
    try {
      await this.#erase(name);
      return true;
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== "FailedPrecondition") throw error;
      return false;
    }
  }

  async #erase(name: string): Promise<void> {
    const { path, options } = this.get(name);
    if (planVolumeMount(options) !== undefined) await unmountVolume(path);
    await this.#folders.remove(name);
    this.#volumes.delete(name);
    this.#events.happened("destroy", name);
  }
}

/** Docker's words. */
function inUse(name: string, users: readonly string[]): string {
  return `remove ${name}: volume is in use - [${users.join(", ")}]`;
}

/** Which containers are tied to which volumes. */
class Bonds {
  readonly #byVolume = new Map<string, Set<string>>();

  of(volume: string): string[] {
    return [...(this.#byVolume.get(volume) ?? [])];
  }

  tie(volume: string, container: string): void {
    const tied = this.#byVolume.get(volume) ?? new Set();
    this.#byVolume.set(volume, tied.add(container));
  }

  /** @returns the volumes it was tied to. */
  untie(container: string): string[] {
    const volumes: string[] = [];
    for (const [volume, tied] of this.#byVolume) {
      if (!tied.delete(container)) continue;
      volumes.push(volume);
      if (tied.size === 0) this.#byVolume.delete(volume);
    }
    return volumes;
  }
}
