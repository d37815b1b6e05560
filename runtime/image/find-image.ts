import { ClusterError } from "../../core/errors.ts";
import { formatReference, parseReference, type Reference, withDigest } from "./reference.ts";
import type { Digest } from "./types.ts";

const ID = /^(?:sha256:)?([0-9a-f]{64})$/;
const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,63})$/;

/** What names and ids are looked up in. */
export interface ImageNames {
  /** The image with a whole reference as its name. */
  findIdByName(name: string): Digest | undefined;
  readonly ids: readonly Digest[];
}

/** An image that was found, and the whole name when it was by name. */
export interface FoundImage {
  readonly id: Digest;
  readonly name: string | undefined;
}

/**
 * Finds an image by what a person typed: a whole id, a name, or the beginning of an id. A digest decides over a tag beside it.
 *
 * @throws {ClusterError} InvalidArgument when a prefix fits several images, or it can be neither name nor id.
 * Source: moby, daemon/images/image.go, GetImage.
 */
export function findImage(images: ImageNames, text: string): FoundImage | undefined {
  const hex = ID.exec(text)?.[1];
  const prefix = ID_PREFIX.exec(text)?.[1];
  if (hex === undefined && !text.startsWith("sha256:")) {
    const name = storedName(parseReference(text));
    const id = images.findIdByName(name);
    if (id !== undefined) return { id, name };
  }
  const start = `sha256:${hex ?? prefix}`;
  const fits = images.ids.filter((id) => id.startsWith(start));
  if (fits.length > 1)
    throw new ClusterError(
      "InvalidArgument",
      `several images have an id that begins with ${prefix}`,
    );
  const [id] = fits;
  return id === undefined ? undefined : { id, name: undefined };
}

/** The name a reference is stored under: a digest stands without a tag. */
export function storedName(reference: Reference): string {
  const { digest } = reference;
  return formatReference(digest === undefined ? reference : withDigest(reference, digest));
}
