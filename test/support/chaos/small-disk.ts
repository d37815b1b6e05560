import { execFile } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Room for images and a few log segments. */
export const SMALL_DISK_BYTES = 384 * 1024 * 1024;
const FILLER = "filler";
const FILLER_CHUNK = Buffer.alloc(1024 * 1024, 1);

/** A file system of its own in a file, mounted at `path` through a loop device. It goes with its mount. */
export class SmallDisk {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async mount(path: string): Promise<SmallDisk> {
    const image = `${path}.img`;
    mkdirSync(path, { recursive: true });
    const file = openSync(image, "w");
    ftruncateSync(file, SMALL_DISK_BYTES);
    closeSync(file);
    await run("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
    await run("mount", ["-o", "loop", image, path]);
    return new SmallDisk(path);
  }

  /** Takes all the room there is. */
  fill(): void {
    const file = openSync(join(this.#path, FILLER), "a");
    try {
      for (
        let chunk = FILLER_CHUNK;
        chunk.length > 0;
        chunk = chunk.subarray(0, chunk.length >> 1)
      ) {
        while (writes(file, chunk)) {
          // Until no chunk of this size fits.
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    const filler = join(this.#path, FILLER);
    if (existsSync(filler)) rmSync(filler);
  }
}

function writes(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) === chunk.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
