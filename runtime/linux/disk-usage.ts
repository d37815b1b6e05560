import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * How many bytes the files below a directory hold; one that has several names counts once. What goes while it is looked at
 * does not count.
 */
export async function diskUsage(dir: string): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  const pending = [dir];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const entry of await orNone(readdir(next, { withFileTypes: true }))) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        pending.push(path);
        continue;
      }
      const [found] = await orNone(lstat(path).then((stats) => [stats]));
      if (found === undefined || !found.isFile()) continue;
      const inode = `${found.dev}:${found.ino}`;
      if (!seen.has(inode)) bytes += found.size;
      if (found.nlink > 1) seen.add(inode);
    }
  }
  return bytes;
}

async function orNone<T>(list: Promise<T[]>): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
