import { type FileHandle, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Backups } from "./backups.ts";
import { backupName, planRemoval } from "./plan-removal.ts";

/** The first one, and the next after a failure: soon, but not while the swarm is still being set up. */
const FIRST_MS = 10_000;

export interface PeriodicOptions {
  readonly dir: string;
  readonly everyMs: number;
  /** Backups of this swarm kept in the directory. */
  readonly keep: number;
  /** Read each time, so that it can be changed. */
  readonly passphraseFile: string;
}

export interface PeriodicParts {
  readonly backups: Pick<Backups, "begin">;
  /** Only one node needs to: the one that leads. */
  readonly leads: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes a backup into a directory now and then, while this manager leads. A failure stops nothing and is shown. */
export class PeriodicBackups {
  readonly #options: PeriodicOptions;
  readonly #parts: PeriodicParts;
  #failure = "";
  #cancel: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PeriodicOptions, parts: PeriodicParts) {
    this.#options = options;
    this.#parts = parts;
    this.#schedule(Math.min(FIRST_MS, options.everyMs));
  }

  /** Why the last one failed; empty when it did not. */
  get failure(): string {
    return this.#failure;
  }

  /** Resolves when the one under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#work;
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      this.#work = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { dir, everyMs } = this.#options;
    const { leads, log } = this.#parts;
    if (!leads()) {
      this.#failure = "";
      this.#schedule(Math.min(FIRST_MS, everyMs));
      return;
    }
    try {
      const file = await this.#write();
      this.#failure = "";
      log.info("wrote a backup", { file });
    } catch (error) {
      this.#failure = `cannot write a backup to ${dir}: ${errorMessage(error)}`;
      log.error(this.#failure);
    }
    this.#schedule(everyMs);
  }

  async #write(): Promise<string> {
    const { dir, keep, passphraseFile } = this.#options;
    const passphrase = (await readFile(passphraseFile, "utf8")).trimEnd();
    const { header, bytes } = await this.#parts.backups.begin(passphrase);
    const { clusterId, createdAtMs } = header;
    const path = join(dir, backupName(clusterId, createdAtMs));
    await writeWhole(path, bytes);
    for (const name of planRemoval(await readdir(dir), clusterId, keep)) await rm(join(dir, name));
    return path;
  }
}

/** The file is there whole or not at all. */
async function writeWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.tmp`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "w", 0o600);
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncFolder(join(path, ".."));
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
