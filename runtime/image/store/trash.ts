import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { removeTree } from "../../linux/open-directory.ts";

/**
 * Directories on their way out: gone from their place at once, removed one after the other aside. What a crash left of them,
 * or could not be removed, goes at the next open.
 */
export class Trash {
  readonly #directory: string;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #taken = 0;
  #emptied: Promise<void> = Promise.resolve();

  private constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** @param directory on the same file system as what it takes; nobody else's. */
  static async open(directory: string, log: Log): Promise<Trash> {
    const trash = new Trash(directory, log);
    await trash.#remove(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return trash;
  }

  /**
   * Takes a directory away. No error when there is none.
   *
   * @param after what must be over before its files go.
   */
  async take(path: string, after: Promise<void> = Promise.resolve()): Promise<void> {
    const taken = join(this.#directory, String(++this.#taken));
    try {
      await rename(path, taken);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      throw error;
    }
    this.#emptied = Promise.all([this.#emptied, after]).then(() => this.#remove(taken));
  }

  /** Resolves when nothing is left in it, or it is closed. */
  emptied(): Promise<void> {
    return this.#emptied;
  }

  /** What it still has stays until the next open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#emptied;
  }

  async #remove(path: string): Promise<void> {
    try {
      await removeTree(path, this.#closing.signal);
    } catch (error) {
      this.#log.warn(
        "cannot remove a directory that is no longer used: tried again at the next start",
        {
          path,
          reason: errorMessage(error),
        },
      );
    }
  }
}
