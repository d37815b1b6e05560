import { closeSync, constants, readlinkSync } from "node:fs";
import { OpenEntry } from "../linux/open-directory.ts";
import { findInRoot, openInRoot } from "../linux/open-in-root.ts";
import { type ArchivePath, cleanPath } from "./archive-path.ts";

/** What is at a path inside a container. */
export interface PathStat {
  readonly name: string;
  readonly sizeBytes: number;
  /** As `st_mode`. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Of a symbolic link: the absolute path it comes to in the end. Empty otherwise. */
  readonly linkTarget: string;
}

const O_PATH = 0o10000000;
const HOLD = O_PATH | constants.O_NOFOLLOW;

/**
 * Holds what is at a path; the last part is not followed unless a slash comes after it. The caller closes.
 *
 * @throws {ClusterError} NotFound; InvalidArgument when what must be a directory is none.
 */
export function holdPath(root: string, { path }: Pick<ArchivePath, "path">): OpenEntry {
  return new OpenEntry(openInRoot(root, path, HOLD));
}

/** What is held at a path. */
export function statEntry(root: string, asked: ArchivePath, entry: OpenEntry): PathStat {
  const { size, mode, mtimeNs } = entry.facts;
  return {
    name: asked.name === "" ? "/" : asked.name,
    sizeBytes: Number(size),
    mode: Number(mode),
    mtimeNs,
    linkTarget: entry.facts.isSymbolicLink() ? endOfLink(root, asked.path, entry) : "",
  };
}

/** Where a link comes to in the end; of one that comes to nothing, what it says. */
function endOfLink(root: string, path: string, entry: OpenEntry): string {
  const fd = findInRoot(root, path, O_PATH);
  if (fd !== undefined)
    try {
      return realPath(fd);
    } finally {
      closeSync(fd);
    }
  const target = entry.readLink().toString();
  return cleanPath(target.startsWith("/") ? target : `${path}/../${target}`);
}

/** The path of an open file inside the tree of mounts it was found in. */
export function realPath(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}
