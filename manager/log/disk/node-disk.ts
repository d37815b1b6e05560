import { constants, fdatasync, write } from "node:fs";
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
    create: (name) => openFile(path(name), "w+"),
    open: (name) => openFile(path(name), "r+"),
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

async function openFile(path: string, flags: "w+" | "r+"): Promise<NodeFile> {
  const handle = await open(path, flags, FILE_MODE);
  try {
    return new NodeFile(handle, await open(path, constants.O_WRONLY | constants.O_DSYNC));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class NodeFile implements LogFile {
  readonly #handle: FileHandle;
  /** The same file; a write to it returns when it is durable, as if fdatasync followed. */
  readonly #durable: FileHandle;

  constructor(handle: FileHandle, durable: FileHandle) {
    this.#handle = handle;
    this.#durable = durable;
  }

  write(bytes: Uint8Array, offset: number): Promise<void> {
    return writeAll(this.#handle.fd, bytes, offset);
  }

  /** One call of the kernel, not two: each entry of the log waits for it, and each call for a thread. */
  writeDurably(bytes: Uint8Array, offset: number): Promise<void> {
    return writeAll(this.#durable.fd, bytes, offset);
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
    await this.#durable.close();
    await this.#handle.close();
  }
}

/** By callbacks, as `sync`: each entry of the log waits for this, and a FileHandle's promises cost it a third more. */
function writeAll(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
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
