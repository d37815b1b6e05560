import { lstat, readdir } from "node:fs/promises";

/**
 * Bytes of all regular files below a directory; links to one file count once. Names are bytes: they need not be UTF-8. What
 * goes away meanwhile is left out.
 */
export async function contentBytes(directory: string): Promise<number> {
  const sizes = new Map<string, number>();
  const pending: Buffer[] = [Buffer.from(directory)];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await orGone(readdir(path, { withFileTypes: true, encoding: "buffer" }))) {
      const inside = Buffer.concat([path, Buffer.from("/"), entry.name]);
      if (entry.isDirectory()) pending.push(inside);
      if (!entry.isFile()) continue;
      for (const { dev, ino, size } of await orGone(lstat(inside).then((facts) => [facts])))
        sizes.set(`${dev}:${ino}`, size);
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function orGone<T>(reading: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
