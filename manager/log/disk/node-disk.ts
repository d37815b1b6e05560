import { fdatasync, write } from "node:fs";
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

  /** By callbacks, as `sync`: each entry of the log waits for both, and a FileHandle's promises cost it a third more. */
  write(bytes: Uint8Array, offset: number): Promise<void> {
    const { fd } = this.#handle;
    return new Promise((resolve, reject) => {
      const writeFrom = (done: number): void => {
        write(fd, bytes, done, bytes.length - done, offset + done, (error, count) => {
          if (error !== null) reject(error);
          else if (done + count < bytes.length) writeFrom(done + count);
          else resolve();
        });
      };
      writeFrom(0);
    });
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

  sync(): Promise<void> {
    const { fd } = this.#handle;
    return new Promise((resolve, reject) => {
      fdatasync(fd, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
