import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

const TEMPORARY_SUFFIX = ".new";

/** What the next daemon must know of containers' runs, below the exec root: a file for each container. */
export class RunFiles<T extends { readonly containerId: string }> {
  readonly #directory: string;
  readonly #parse: (json: unknown) => T;

  /** @param parse reads what an earlier version may have written; throws what is none. */
  constructor(directory: string, parse: (json: unknown) => T) {
    this.#directory = directory;
    this.#parse = parse;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** One that cannot be read stands for nothing: what it was of is cleared away. */
  load(log: Log): T[] {
    const names = readdirSync(this.#directory).filter((name) => !name.endsWith(TEMPORARY_SUFFIX));
    return names.flatMap((name) => {
      const path = `${this.#directory}/${name}`;
      try {
        return this.#parse(JSON.parse(readFileSync(path, "utf8")));
      } catch (error) {
        log.warn("state file is damaged, doing without", { path, reason: errorMessage(error) });
        rmSync(path, { force: true });
        return [];
      }
    });
  }

  put(record: T): void {
    const path = `${this.#directory}/${record.containerId}`;
    writeFileSync(path + TEMPORARY_SUFFIX, JSON.stringify(record), { mode: 0o600 });
    renameSync(path + TEMPORARY_SUFFIX, path);
  }

  remove(containerId: string): void {
    rmSync(`${this.#directory}/${containerId}`, { force: true });
  }
}
