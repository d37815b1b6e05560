import { listChanges, type TreeChange } from "../image/layer/tree-changes.ts";
import type { Rootfs } from "../image/types.ts";
import { openUnion } from "../linux/mount-tree.ts";
import { OpenDirectory } from "../linux/open-directory.ts";

/**
 * What a container has changed of its image's files.
 *
 * @param scratch a path that nobody else uses.
 * @throws {ClusterError} as `listChanges`.
 */
export async function rootfsChanges(
  { upperDir, lowerDirs }: Rootfs,
  scratch: string,
): Promise<readonly TreeChange[]> {
  const upper = OpenDirectory.open(upperDir);
  try {
    const base = new OpenDirectory(openUnion(lowerDirs, scratch));
    try {
      return await listChanges(upper, base);
    } finally {
      base.close();
    }
  } finally {
    upper.close();
  }
}
