import type { Random } from "../../../core/random.ts";
import type { StateDisk } from "../../../worker/state/state-disk.ts";

interface File {
  bytes: Uint8Array;
  /** What a loss of power leaves; undefined: no file. */
  durable: Uint8Array | undefined;
}

/** A worker's own files: they outlive its daemon; a loss of power takes any of the latest changes, as nothing is synced. */
export class SimStateDisk {
  #files = new Map<string, File>();

  /** The disk as a daemon uses it; calls of one that is gone never end. */
  mount(delay: () => Promise<void>): StateDisk {
    return {
      makeFolder: () => delay(),
      list: async (folder) => {
        await delay();
        const prefix = `${folder}/`;
        return [...this.#files.keys()]
          .filter((path) => path.startsWith(prefix))
          .map((path) => path.slice(prefix.length));
      },
      read: async (path) => {
        await delay();
        return this.#files.get(path)?.bytes ?? new Uint8Array(0);
      },
      replace: async (path, bytes) => {
        await delay();
        this.#files.set(path, { bytes, durable: this.#files.get(path)?.durable });
      },
      remove: async (path) => {
        await delay();
        this.#files.delete(path);
      },
      removeFolder: async () => {
        await delay();
        this.#files.clear();
      },
    };
  }

  /** The kernel has written back all there is. */
  writeBack(): void {
    for (const file of this.#files.values()) file.durable = file.bytes;
  }

  losePower(random: Random): void {
    const after = new Map<string, File>();
    for (const [path, { bytes, durable }] of this.#files) {
      const left = random.next() < 0.5 ? bytes : durable;
      if (left !== undefined) after.set(path, { bytes: left, durable: left });
    }
    this.#files = after;
  }
}
