import { ClusterError } from "../../../core/errors.ts";
import type { FoundImage } from "../find-image.ts";
import type { StoredImage } from "../image-catalog.ts";
import { familiarRepository, parseReference, type Reference } from "../reference.ts";
import type { Digest } from "../types.ts";
import type { SavedImage } from "./save-archive.ts";

/** Where names and documents are looked up; ImageCatalog is one. */
interface SaveSource {
  readonly ids: readonly Digest[];
  namesOf(imageId: Digest): readonly string[];
  getStored(imageId: Digest): StoredImage;
}

/**
 * Which images go into an archive, under which names: a tag alone, a repository with all its tags, an id without any.
 *
 * @param find throws NotFound.
 * Source: moby, image/tarexport/save.go, parseNames.
 */
export function planSave(
  references: readonly string[],
  source: SaveSource,
  find: (reference: string) => FoundImage,
): readonly SavedImage[] {
  const names = new Map<Digest, Map<string, Reference>>();
  const add = (id: Digest, ...tagged: readonly Reference[]): void => {
    const own = names.get(id) ?? new Map<string, Reference>();
    names.set(id, own);
    for (const name of tagged) own.set(`${familiarRepository(name)}:${name.tag}`, name);
  };
  for (const reference of references) {
    const all = isRepository(reference) ? tagsOf(reference, source) : [];
    for (const { id, name } of all) add(id, name);
    if (all.length > 0) continue;
    const found = findAs(reference, find);
    const name = found.name === undefined ? undefined : parseReference(found.name);
    add(found.id, ...(name === undefined || name.digest !== undefined ? [] : [name]));
  }
  return [...names].map(([id, own]) => ({
    stored: source.getStored(id),
    names: [...own.values()],
  }));
}

/** Whoever asked for a repository is told of no tag. */
function findAs(reference: string, find: (reference: string) => FoundImage): FoundImage {
  try {
    return find(reference);
  } catch (error) {
    const isMissing = error instanceof ClusterError && error.code === "NotFound";
    if (!isMissing || !isRepository(reference)) throw error;
    throw new ClusterError("NotFound", `No such image: ${reference}`, { cause: error });
  }
}

/** Every image that has a tag of the repository. */
function tagsOf(
  repository: string,
  source: SaveSource,
): readonly { readonly id: Digest; readonly name: Reference }[] {
  const wanted = familiarRepository(parseReference(repository));
  return source.ids.flatMap((id) =>
    source
      .namesOf(id)
      .map(parseReference)
      .filter((name) => name.digest === undefined && familiarRepository(name) === wanted)
      .map((name) => ({ id, name })),
  );
}

/** Neither tag nor digest nor an id. */
function isRepository(reference: string): boolean {
  return !/@|:[^/]*$|^[0-9a-f]{64}$/.test(reference);
}
