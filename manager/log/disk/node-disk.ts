import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LogDisk, LogFile } from "./log-disk.ts";

/** Only the manager itself reads its log: it holds secrets. */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;

/** A directory of the machine; made if absent. */
export async function openNodeDisk(dir: string): Promise<LogDisk> {
  await mkdir(dir, { recursive: true, mode: DIR_MODE });
  return nodeDisk(dir);
}

/** A directory of the machine that exists. */
export function nodeDisk(dir: string): LogDisk {
  const path = (name: string): string => join(dir, name);
  return {
    dir,
    list: async () => (await readdir(dir)).sort(),
    read: (name) => readFile(path(name)),
    create: async (name) => new NodeFile(await open(path(name), "w+", FILE_MODE)),
    open: async (name) => new NodeFile(await open(path(name), "r+")),
    rename: (from, to) => rename(path(from), path(to)),
    remove: (name) => rm(path(name), { force: true }),
    async syncDir() {
      const handle = await open(dir, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

class NodeFile implements LogFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        done,
        bytes.length - done,
        offset + done,
      );
      done += bytesWritten;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
