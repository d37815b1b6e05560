import { mkdir, open } from "node:fs/promises";
import { mountTmpfs, remountReadOnly } from "../linux/mount.ts";
import type { OciMount } from "./spec/oci-spec.ts";
import type { ContainerFile } from "./types.ts";

/** What the kernel needs for one file beside its pages. */
const FILE_OVERHEAD_BYTES = 8 * 1024;
const PAGE_BYTES = 4096;

/**
 * Writes a container's files into a file system in memory of its own at `dir` and seals it: nothing of them is ever on a
 * disk. Unmount `dir` when the container has ended.
 *
 * @returns the mounts by which the container sees them: each alone, read-only.
 * @throws {ClusterError} `Internal`; what was made stays: clear it.
 */
export async function makeContainerFiles(
  files: readonly ContainerFile[],
  dir: string,
): Promise<OciMount[]> {
  if (files.length === 0) return [];
  await mkdir(dir, { mode: 0o700 });
  mountTmpfs(dir, sizeOf(files));
  const mounts: OciMount[] = [];
  for (const [position, file] of files.entries()) {
    const source = `${dir}/${position}`;
    await writeFile(source, file);
    mounts.push({ destination: file.target, type: "bind", source, options: OPTIONS });
  }
  remountReadOnly(dir);
  return mounts;
}

const OPTIONS = ["bind", "rprivate", "ro", "nosuid", "nodev", "noexec"];

function sizeOf(files: readonly ContainerFile[]): number {
  const pages = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  return files.reduce(
    (sum, { data }) => sum + pages(data.length) + FILE_OVERHEAD_BYTES,
    FILE_OVERHEAD_BYTES,
  );
}

async function writeFile(path: string, file: ContainerFile): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(file.data);
    await handle.chown(file.uid, file.gid);
    // After the owner, whose change takes away setuid bits.
    await handle.chmod(file.mode);
  } finally {
    await handle.close();
  }
}
