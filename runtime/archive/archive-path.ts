import { ClusterError } from "../../core/errors.ts";

/** The kernel's limit, PATH_MAX. */
const PATH_BYTES_MAX = 4095;

/** A path as somebody asks for it, put straight. */
export interface ArchivePath {
  /** Absolute, from the container's root. Ends with `/` or `/.` when it was asked for so: then it must be a directory. */
  readonly path: string;
  /** What its files are called in an archive: the last part, `.` for one that ends so, empty for the root. */
  readonly name: string;
}

/**
 * Puts a path straight as Docker does: from the root, `.` and `..` taken out, a slash or dot at its end kept.
 *
 * @throws {ClusterError} InvalidArgument when it is empty or no path.
 * Source: moby, archive.PreserveTrailingDotOrSeparator; docker-engine-api-v1.51.yaml, GetContainerArchive.
 */
export function readArchivePath(asked: string): ArchivePath {
  if (asked === "")
    throw new ClusterError("InvalidArgument", "bad parameter: path cannot be empty");
  if (asked.includes("\0") || Buffer.byteLength(asked) > PATH_BYTES_MAX)
    throw new ClusterError("InvalidArgument", "bad parameter: path is no path");
  const parts = cleanParts(asked.split("/"), true) ?? [];
  if (parts.length === 0) return { path: "/", name: "" };
  const path = `/${parts.join("/")}`;
  if (/(^|\/)\.$/.test(asked)) return { path: `${path}/.`, name: "." };
  const name = parts.at(-1) ?? "";
  return { path: asked.endsWith("/") ? `${path}/` : path, name };
}

/**
 * The parts of an archive's entry below the directory it is unpacked to. An absolute name counts from there, as in Docker.
 *
 * @returns undefined when it leads outside.
 */
export function entryParts(name: string): readonly string[] | undefined {
  if (name.includes("\0")) return undefined;
  return cleanParts(name.split("/"), false);
}

/** The absolute path without `.` and `..`; the root is its own parent. */
export function cleanPath(path: string): string {
  return `/${(cleanParts(path.split("/"), true) ?? []).join("/")}`;
}

/** @param atRoot whether what is above the first part is the first part again. */
function cleanParts(parts: readonly string[], atRoot: boolean): string[] | undefined {
  const clean: string[] = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (part !== "..") clean.push(part);
    else if (clean.pop() === undefined && !atRoot) return undefined;
  }
  return clean;
}
