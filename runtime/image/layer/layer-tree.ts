import { ClusterError } from "../../../core/errors.ts";

/** What a layer has put somewhere so far. */
export type LayerNode = LayerDirectory | LayerLink | { readonly kind: "file" | "whiteout" };

/** A symbolic link. */
export interface LayerLink {
  readonly kind: "symlink";
  readonly target: string;
}

/** A directory and what the layer has put into it. */
export interface LayerDirectory {
  readonly kind: "directory";
  readonly children: Map<string, LayerNode>;
}

/** A place in the layer: the real directory (no link on the way) and the name in it. */
export interface LayerPlace {
  readonly parent: LayerDirectory;
  readonly name: string;
  /** From the layer's root, without a slash at either end. */
  readonly path: string;
  /** Directories on the way that do not exist yet, outermost first; they have been added to the tree. */
  readonly missing: readonly MissingDirectory[];
}

/** A directory no entry has announced. */
export interface MissingDirectory {
  readonly path: string;
  /** A whiteout is in its place: the directory takes it over and must hide what lies below. */
  readonly overWhiteout: boolean;
}

/** The kernel's limits, PATH_MAX and NAME_MAX. */
const PATH_BYTES_MAX = 4095;
const NAME_BYTES_MAX = 255;
/** As many as the kernel follows. */
const LINKS_FOLLOWED_MAX = 40;

/** An empty directory. */
export function emptyDirectory(): LayerDirectory {
  return { kind: "directory", children: new Map() };
}

/**
 * Finds where `name` is to be put, without ever leaving the layer.
 *
 * The last part is not followed. A symbolic link on the way is followed when its target is relative and stays inside (real
 * layers have `bin → usr/bin` and then `bin/sh`); a link that is absolute or leads out is refused, as are absolute names and `..`.
 *
 * @returns undefined for the root itself.
 * @throws {ClusterError} InvalidArgument.
 */
export function placeOf(root: LayerDirectory, name: string): LayerPlace | undefined {
  const parts = partsOf(name);
  const last = parts.pop();
  if (last === undefined) return undefined;
  const walk = new Walk(root, name);
  walk.enter(parts);
  const path = walk.pathTo(last);
  if (path.length > PATH_BYTES_MAX) throw refused(name, "the path is too long");
  return { parent: walk.directory, name: last, path, missing: walk.missing };
}

/** The error for a layer that must not be unpacked. */
export function refused(name: string, reason: string): ClusterError {
  const shown = JSON.stringify(Buffer.from(name.slice(0, PATH_BYTES_MAX), "latin1").toString());
  return new ClusterError("InvalidArgument", `layer refused: entry ${shown}: ${reason}`);
}

function partsOf(name: string): string[] {
  if (name.startsWith("/")) throw refused(name, "absolute path");
  if (name.includes("\0")) throw refused(name, "NUL in the path");
  if (name.length > PATH_BYTES_MAX) throw refused(name, "the path is too long");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(name, "the path has ..");
  if (parts.some((part) => part.length > NAME_BYTES_MAX))
    throw refused(name, `a name is longer than ${NAME_BYTES_MAX} bytes`);
  return parts;
}

/** Goes from the root towards a directory, one part at a time; knows the way back, so that `..` in a link is exact. */
class Walk {
  readonly #entryName: string;
  readonly #way: { readonly name: string; readonly directory: LayerDirectory }[] = [];
  readonly #root: LayerDirectory;
  readonly missing: MissingDirectory[] = [];
  #linksFollowed = 0;

  constructor(root: LayerDirectory, entryName: string) {
    this.#root = root;
    this.#entryName = entryName;
  }

  get directory(): LayerDirectory {
    return this.#way.at(-1)?.directory ?? this.#root;
  }

  pathTo(name: string): string {
    return [...this.#way.map((step) => step.name), name].join("/");
  }

  enter(parts: readonly string[]): void {
    const ahead = parts.toReversed();
    for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
      if (part === "..") this.#goUp();
      else ahead.push(...this.#goInto(part).toReversed());
    }
  }

  #goUp(): void {
    if (this.#way.pop() === undefined)
      throw refused(this.#entryName, "a symbolic link on its path leads out of the layer");
  }

  /** @returns the parts of a link's target, to be walked next. */
  #goInto(name: string): string[] {
    const node = this.directory.children.get(name);
    if (node?.kind === "symlink") return this.#follow(node.target);
    if (node?.kind === "file") throw refused(this.#entryName, `${name} is not a directory`);
    const directory = node?.kind === "directory" ? node : this.#add(name, node !== undefined);
    this.#way.push({ name, directory });
    return [];
  }

  #add(name: string, overWhiteout: boolean): LayerDirectory {
    const directory = emptyDirectory();
    this.directory.children.set(name, directory);
    this.missing.push({ path: this.pathTo(name), overWhiteout });
    return directory;
  }

  #follow(target: string): string[] {
    if (target.startsWith("/"))
      throw refused(this.#entryName, "a symbolic link on its path is absolute");
    if (++this.#linksFollowed > LINKS_FOLLOWED_MAX)
      throw refused(this.#entryName, "too many symbolic links on its path");
    return target.split("/").filter((part) => part !== "" && part !== ".");
  }
}
