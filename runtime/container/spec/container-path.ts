import { ClusterError } from "../../../core/errors.ts";

/** Linux's own, PATH_MAX. */
const PATH_LENGTH_MAX = 4096;

/**
 * A path inside a container without `.`, `..` and doubled slashes; `..` stops at the root.
 *
 * @param what the path is of, for the error.
 * @throws {ClusterError} InvalidArgument when it is not absolute, too long, or has a NUL.
 */
export function normalizePath(path: string, what: string): string {
  if (!path.startsWith("/")) throw refusal(path, what, "it is not absolute");
  if (path.length > PATH_LENGTH_MAX || path.includes("\0"))
    throw refusal(path, what, "it is too long or has a NUL character");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/**
 * The directory a container's process starts in.
 *
 * @throws {ClusterError} as {@link normalizePath}; also below /proc, whose links to open files lead out of the container.
 * Source: CVE-2024-21626.
 */
export function planWorkdir(container: string, image: string): string {
  const workdir = container === "" ? (image === "" ? "/" : image) : container;
  const path = normalizePath(workdir, "working directory");
  if (path === "/proc" || path.startsWith("/proc/"))
    throw refusal(workdir, "working directory", "it is inside /proc");
  return path;
}

function refusal(path: string, what: string, reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid ${what} ${JSON.stringify(path.slice(0, 200))}: ${reason}`,
  );
}
