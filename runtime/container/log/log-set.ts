import type { Stats } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { logFileOf, planRotation } from "./log-files.ts";

/** One of the files that a log is kept in. */
export interface FoundFile {
  readonly path: string;
  /** Stays as it is moved; no other file ever has the same. */
  readonly id: string;
  readonly bytes: number;
}

/** Those there are, newest first. Right after one was put aside the newest may not have been begun yet. */
export async function findLogFiles(path: string, filesMax: number): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (let age = 0; age < filesMax; age++) {
    const file = logFileOf(path, age);
    try {
      const stats = await stat(file);
      found.push({ path: file, id: fileIdOf(stats), bytes: stats.size });
    } catch (error) {
      if (!isAbsent(error)) throw error;
      if (age > 0) break;
    }
  }
  return found;
}

/** An inode's number is another file's as soon as its own is gone: the time of its birth tells them apart. */
export function fileIdOf({ ino, birthtimeMs }: Pick<Stats, "ino" | "birthtimeMs">): string {
  return `${ino}-${birthtimeMs}`;
}

/** Makes room at `path`: each file is one older, the oldest falls out. */
export async function putAside(path: string, filesMax: number): Promise<void> {
  for (const { from, to } of planRotation(path, filesMax))
    await rename(from, to).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
  if (filesMax === 1) await rm(path, { force: true });
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
