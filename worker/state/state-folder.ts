import { join } from "node:path";
import { assert } from "../../core/assert.ts";
import type { StateDisk } from "./state-disk.ts";

/** Ids of the swarm are safe file names; whatever else claims to be one is not written. */
const SAFE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Small files by id, each replaced whole or not at all.
 *
 * Writes of one file that come faster than the disk are merged: the newest wins. No fsync: what a crash of the machine
 * loses, the managers tell again; a crash of the daemon loses nothing that was renamed.
 */
export class StateFolder {
  readonly #path: string;
  readonly #disk: StateDisk;
  /** Undefined: to be removed. */
  readonly #dirty = new Map<string, (() => Uint8Array) | undefined>();
  readonly #onError: (error: unknown, path: string) => void;
  #writing: Promise<void> | undefined;

  private constructor(
    path: string,
    disk: StateDisk,
    onError: (error: unknown, path: string) => void,
  ) {
    this.#path = path;
    this.#disk = disk;
    this.#onError = onError;
  }

  /** @param onError hears of a write that failed (a full disk); it is tried again with the next one. */
  static async open(
    path: string,
    disk: StateDisk,
    onError: (error: unknown, path: string) => void,
  ): Promise<StateFolder> {
    await disk.makeFolder(path);
    return new StateFolder(path, disk, onError);
  }

  /** Every whole file, by id. */
  async load(): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const name of await this.#disk.list(this.#path)) {
      files.set(name, await this.#disk.read(join(this.#path, name)));
    }
    return files;
  }

  /** Writes soon. `bytes` is asked for when the disk is ready. */
  put(id: string, bytes: () => Uint8Array): void {
    assert(SAFE_NAME.test(id), `${JSON.stringify(id)} cannot name a file`);
    this.#dirty.set(id, bytes);
    this.#writing ??= this.#write();
  }

  /** Removes soon; no error if there is none. */
  remove(id: string): void {
    assert(SAFE_NAME.test(id), `${JSON.stringify(id)} cannot name a file`);
    this.#dirty.set(id, undefined);
    this.#writing ??= this.#write();
  }

  /** Resolves when everything put or removed before was written, or was tried in vain. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    // A turn later, so that what comes in one burst is written once.
    await Promise.resolve();
    for (const [id, bytes] of this.#dirty) {
      this.#dirty.delete(id);
      try {
        await this.#replace(join(this.#path, id), bytes);
      } catch (error) {
        this.#onError(error, join(this.#path, id));
        if (!this.#dirty.has(id)) this.#dirty.set(id, bytes);
        break;
      }
    }
    this.#writing = undefined;
  }

  async #replace(path: string, bytes: (() => Uint8Array) | undefined): Promise<void> {
    if (bytes === undefined) await this.#disk.remove(path);
    else await this.#disk.replace(path, bytes());
  }
}
