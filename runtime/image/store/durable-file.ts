import { open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { systemError } from "../../linux/libc.ts";

/** Puts `content` at `path` so that a crash leaves the old file or the new one, whole. `path + ".tmp"` is used on the way. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, content, { flush: true });
    await renameDurably(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw systemError(error, `write ${path}`);
  }
}

/** Renames a file or directory whose content is on disk already; when this resolves, the new name is on disk too. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Waits until the names in a directory are on disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
