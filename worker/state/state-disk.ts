import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The calls a worker's files are kept by: the seam where the simulation has no real disk. */
export interface StateDisk {
  /** Nothing if it is there. */
  makeFolder(path: string): Promise<void>;
  /** Names of the whole files in it; what a crash left half-written is gone. */
  list(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** The file has these bytes afterwards, or after a crash of the daemon those before. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** An absent file is no error. */
  remove(path: string): Promise<void>;
  /** With all that is in it. */
  removeFolder(path: string): Promise<void>;
}

const TEMPORARY = ".tmp";

/** The machine's disk; only the daemon itself reads what it keeps there. */
export const nodeStateDisk: StateDisk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async list(folder) {
    const names = await readdir(folder);
    const isTemporary = (name: string) => name.endsWith(TEMPORARY);
    for (const name of names.filter(isTemporary)) await rm(join(folder, name), { force: true });
    return names.filter((name) => !isTemporary(name));
  },
  read: (path) => readFile(path),
  async replace(path, bytes) {
    await writeFile(path + TEMPORARY, bytes, { mode: 0o600 });
    await rename(path + TEMPORARY, path);
  },
  remove: (path) => rm(path, { force: true }),
  removeFolder: (path) => rm(path, { recursive: true, force: true }),
};
