import type { TarEntry, TarType } from "../../../core/tar/tar-reader.ts";
import {
  emptyDirectory,
  type LayerDirectory,
  type LayerNode,
  type LayerPlace,
  type MissingDirectory,
  placeOf,
  refused,
} from "./layer-tree.ts";

/** One thing to do for an entry. Paths are byte strings from the layer's root; the empty path is the root. */
export type LayerStep =
  /** A directory no entry announced; owned by root, mode 0755. */
  | { readonly kind: "makeParent"; readonly path: string }
  /** Removes whatever is there, with everything in it. */
  | { readonly kind: "remove"; readonly path: string }
  /** Hides what lower layers have there. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** The directory hides what lower layers have in it. */
  | { readonly kind: "opaque"; readonly path: string }
  /** Makes what the entry says; never a hard link. */
  | { readonly kind: "create"; readonly path: string; readonly entry: TarEntry }
  /** The directory exists: owner, mode, times and attributes are the entry's. */
  | { readonly kind: "update"; readonly path: string; readonly entry: TarEntry }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const WHITEOUT_PREFIX = ".wh.";
/** Names kept by AUFS for itself; only the opaque mark has a meaning in images. */
const WHITEOUT_META_PREFIX = ".wh..wh.";
const OPAQUE_MARK = ".wh..wh..opq";
const SYMLINK_BYTES_MAX = 4095;
const DEVICE_MAJOR_MAX = 2 ** 12 - 1;
const DEVICE_MINOR_MAX = 2 ** 20 - 1;

/**
 * Decides what each entry of a layer becomes in the layer's own directory. Nothing is written here.
 *
 * A layer starts empty and lower layers are not looked at, so what the layer itself has put is all there is to follow:
 * a directory `bin` in it hides a link `bin` of a lower layer, as in Docker's overlay2.
 */
export class LayerPlanner {
  readonly #root = emptyDirectory();

  /**
   * The steps for the next entry, in their order.
   *
   * @throws {ClusterError} InvalidArgument when the entry would reach outside of the layer or cannot be.
   * Source: OCI image-spec, layer.md, "Applying Changesets" and "Whiteouts".
   */
  plan(entry: TarEntry): readonly LayerStep[] {
    checkEntry(entry);
    const place = placeOf(this.#root, entry.name);
    if (place === undefined) return planRoot(entry);
    const steps = place.missing.flatMap(planMissing);
    if (place.name.startsWith(WHITEOUT_PREFIX)) steps.push(...planWhiteout(place, entry));
    else if (entry.type === "hardLink") steps.push(...this.#planLink(place, entry));
    else steps.push(...planCreate(place, entry));
    return steps;
  }

  #planLink(place: LayerPlace, entry: TarEntry): LayerStep[] {
    const target = placeOf(this.#root, entry.linkName);
    const node = target?.parent.children.get(target.name);
    if (!target || target.missing.length > 0 || (node?.kind !== "file" && node?.kind !== "symlink"))
      throw refused(entry.name, "hard link to a file that is not in the layer");
    if (target.path === place.path) throw refused(entry.name, "hard link to itself");
    const steps = planRemoval(place);
    place.parent.children.set(place.name, node);
    return [...steps, { kind: "link", path: place.path, target: target.path }];
  }
}

function planRoot(entry: TarEntry): LayerStep[] {
  if (entry.type !== "directory") throw refused(entry.name, "the root must be a directory");
  return [{ kind: "update", path: "", entry }];
}

function planMissing({ path, overWhiteout }: MissingDirectory): LayerStep[] {
  if (!overWhiteout) return [{ kind: "makeParent", path }];
  return [
    { kind: "remove", path },
    { kind: "makeParent", path },
    { kind: "opaque", path },
  ];
}

function planCreate(place: LayerPlace, entry: TarEntry): LayerStep[] {
  const { parent, name, path } = place;
  const old = parent.children.get(name);
  if (entry.type === "directory" && old?.kind === "directory")
    return [{ kind: "update", path, entry }];
  const steps: LayerStep[] = [...planRemoval(place), { kind: "create", path, entry }];
  parent.children.set(name, nodeOf(entry));
  if (entry.type === "directory" && old?.kind === "whiteout") steps.push({ kind: "opaque", path });
  return steps;
}

function planRemoval({ parent, name, path }: LayerPlace): LayerStep[] {
  return parent.children.has(name) ? [{ kind: "remove", path }] : [];
}

/** A whiteout speaks of lower layers only: what this layer has itself stays, and a directory turns opaque. */
function planWhiteout({ parent, name, path }: LayerPlace, entry: TarEntry): LayerStep[] {
  const parentPath = path.slice(0, Math.max(0, path.length - name.length - 1));
  if (name === OPAQUE_MARK) return [{ kind: "opaque", path: parentPath }];
  if (name.startsWith(WHITEOUT_META_PREFIX)) return [];
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (hidden === "" || hidden === "." || hidden === "..")
    throw refused(entry.name, "whiteout of no file");
  const hiddenPath = parentPath === "" ? hidden : `${parentPath}/${hidden}`;
  const own = parent.children.get(hidden);
  if (own?.kind === "directory") return [{ kind: "opaque", path: hiddenPath }];
  if (own !== undefined) return [];
  parent.children.set(hidden, { kind: "whiteout" });
  return [{ kind: "whiteout", path: hiddenPath }];
}

function nodeOf(entry: TarEntry): LayerNode {
  if (entry.type === "directory") return emptyDirectory() satisfies LayerDirectory;
  if (entry.type === "symlink") return { kind: "symlink", target: entry.linkName };
  return { kind: "file" };
}

function checkEntry(entry: TarEntry): void {
  if (entry.type === "symlink" && (entry.linkName === "" || entry.linkName.includes("\0")))
    throw refused(entry.name, "symbolic link without a target");
  if (entry.type === "symlink" && entry.linkName.length > SYMLINK_BYTES_MAX)
    throw refused(entry.name, "the target of the symbolic link is too long");
  if (isDevice(entry.type) && (entry.major > DEVICE_MAJOR_MAX || entry.minor > DEVICE_MINOR_MAX))
    throw refused(entry.name, "device number out of range");
}

function isDevice(type: TarType): boolean {
  return type === "charDevice" || type === "blockDevice";
}
