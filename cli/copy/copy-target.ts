import { ClusterError } from "../../core/errors.ts";

/** One side of a copy: standard input or output, a path here, a path in a container. */
export type CopyTarget =
  | { readonly kind: "stream" }
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "container"; readonly ref: string; readonly path: string };

/**
 * Reads `-`, `PATH` or `CONTAINER:PATH`. A path here that has a colon is written with `./` or `/` before it.
 *
 * @throws {ClusterError} `InvalidArgument` without a container or a path. Source: docker/cli, splitCpArg.
 */
export function parseCopyTarget(text: string): CopyTarget {
  if (text === "-") return { kind: "stream" };
  const at = text.indexOf(":");
  const ref = text.slice(0, Math.max(at, 0));
  if (at < 0 || text.startsWith("/") || ref.startsWith(".")) return { kind: "local", path: text };
  if (ref === "") throw new ClusterError("InvalidArgument", `invalid '${text}': no container`);
  const path = text.slice(at + 1);
  if (path === "") throw new ClusterError("InvalidArgument", `invalid '${text}': no path`);
  return { kind: "container", ref, path };
}

/** What is at a path. */
export type Kind = "file" | "directory" | "nothing";

/** Where an archive is unpacked, and what its first name becomes there; undefined: what it is. */
export interface CopyPlan {
  readonly directory: string;
  readonly name: string | undefined;
}

/**
 * Decides where a copy goes, by cp's rules: into a directory that is there, in the place of a file, else under a new name
 * in the directory above.
 *
 * @param from.path ends with `/.`: what is in the directory, without itself.
 * @throws {ClusterError} InvalidArgument.
 * Source: docker/cli, docs/reference/commandline/cp.md.
 */
export function planCopy(
  from: { readonly path: string; readonly kind: Kind },
  to: { readonly path: string; readonly kind: Kind },
): CopyPlan {
  if (to.kind === "directory") return { directory: to.path, name: undefined };
  if (to.kind === "file" && from.kind === "directory")
    throw new ClusterError(
      "InvalidArgument",
      `cannot copy a directory to ${to.path}: it is a file`,
    );
  if (/\/\.?$/.test(to.path) && from.kind !== "directory")
    throw new ClusterError(
      "InvalidArgument",
      `cannot copy to ${to.path}: there is no such directory`,
    );
  return { directory: parentOf(to.path), name: baseOf(to.path) };
}

/** The last part; of `dir/.` the dot, of the root nothing. */
export function baseOf(path: string): string {
  const bare = path.replace(/\/+$/, "");
  return bare.slice(bare.lastIndexOf("/") + 1);
}

/** What is before the last part. */
export function parentOf(path: string): string {
  const bare = path.replace(/(\/+\.?)+$/, "");
  const at = bare.lastIndexOf("/");
  if (at < 0) return ".";
  return at === 0 ? "/" : bare.slice(0, at);
}

/** An entry's name with another first part; the first part of what is in `.` or in the root is nothing. */
export function renamed(entry: string, from: string, to: string | undefined): string {
  if (to === undefined) return entry;
  const rest = entry.startsWith(from) ? entry.slice(from.length) : `/${entry}`;
  return `${to}${rest === "" || rest.startsWith("/") ? "" : "/"}${rest}`;
}
