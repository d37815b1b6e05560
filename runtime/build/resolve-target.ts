import { closeSync, readlinkSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import { findInRoot, PATH_ONLY } from "../linux/open-in-root.ts";

/** Source: moby, pkg/symlink. */
const LINKS_MAX = 255;

/**
 * Where a path leads in a root file system that nobody changes meanwhile: links are followed, also the last part and one that
 * leads to nothing yet; what is not there stays as it is named. Nothing leads above the root.
 *
 * @param path absolute; empty: the root.
 * @returns the same kind of path, without links in what is there.
 * @throws {ClusterError} InvalidArgument for a loop. Docker's words.
 */
export function resolveTarget(root: string, path: string): string {
  let done: string[] = [];
  let links = 0;
  for (let left = path.split("/"); left.length > 0; ) {
    const [part = "", ...rest] = left;
    left = rest;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const link = findLink(root, done, part);
    if (link === undefined) {
      done.push(part);
      continue;
    }
    if (++links > LINKS_MAX)
      throw new ClusterError(
        "InvalidArgument",
        `failed to copy files: evalSymlinksInScope: too many links in ${path}`,
      );
    if (link.startsWith("/")) done = [];
    left = [...link.split("/"), ...rest];
  }
  return done.map((part) => `/${part}`).join("");
}

/** What a link says; undefined: it is none, or not there. */
function findLink(root: string, parent: readonly string[], name: string): string | undefined {
  const fd = findInRoot(root, `/${parent.join("/")}`, PATH_ONLY);
  if (fd === undefined) return undefined;
  try {
    return readlinkSync(`/proc/self/fd/${fd}/${name}`);
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}
