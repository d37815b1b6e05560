import { createHash } from "node:crypto";
import { ClusterError } from "../../../core/errors.ts";
import { ARCHIVE_END, tarHeader, tarPadding } from "../../../core/tar/tar-writer.ts";
import { digestHex, digestOfHex } from "../digest.ts";
import type { StoredImage } from "../image-catalog.ts";
import { NAME_ANNOTATION } from "../image-records.ts";
import { encodeDescriptor, MediaType } from "../manifest.ts";
import {
  familiarReference,
  familiarRepository,
  formatReference,
  type Reference,
} from "../reference.ts";
import type { ContentStore } from "../store/content-store.ts";
import type { Descriptor, Digest } from "../types.ts";

/** An image and the names it has in the archive; only tags. */
export interface SavedImage {
  readonly stored: StoredImage;
  readonly names: readonly Reference[];
}

const BLOBS = "blobs/sha256/";
/** Containerd and Docker read the whole name here; OCI's own annotation is the tag alone. */
const WHOLE_NAME_ANNOTATION = "io.containerd.image.name";

/**
 * Packs images into a tar that is an OCI layout and has the files of `docker save` beside it, as Docker 25 and later write
 * it. Blobs go as they are stored, so what other tools take from the layout has the digest it had.
 *
 * Piece by piece, each blob checked against its digest on its way.
 *
 * @throws {ClusterError} DataLoss when a blob is damaged: the archive ends in the middle then.
 * Source: OCI image-spec, image-layout.md; moby, image-spec v1.2.
 */
export async function* saveArchive(
  images: readonly SavedImage[],
  content: ContentStore,
): AsyncGenerator<Uint8Array> {
  yield tarHeader("blobs/", 0);
  yield tarHeader(BLOBS, 0);
  for (const blob of blobsOf(images)) yield* packBlob(blob, content);
  yield* packFile("index.json", { ...INDEX, manifests: images.flatMap(indexEntries) });
  yield* packFile("manifest.json", images.map(manifestEntry));
  yield* packFile("oci-layout", { imageLayoutVersion: "1.0.0" });
  const repositories = repositoriesOf(images);
  if (Object.keys(repositories).length > 0) yield* packFile("repositories", repositories);
  yield ARCHIVE_END;
}

const INDEX = { schemaVersion: 2, mediaType: MediaType.OciIndex };

/** Each once, in an order that is the same every time. */
function blobsOf(images: readonly SavedImage[]): readonly Descriptor[] {
  const all = images.flatMap(({ stored: { descriptor, manifest } }) => [
    descriptor,
    manifest.config,
    ...manifest.layers,
  ]);
  return [...new Map(all.map((blob) => [blob.digest, blob])).values()];
}

/** One for each name; one without for an image that has none. */
function indexEntries({ stored, names }: SavedImage): readonly object[] {
  const descriptor = encodeDescriptor(stored.descriptor);
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({
    ...descriptor,
    annotations: { [WHOLE_NAME_ANNOTATION]: formatReference(name), [NAME_ANNOTATION]: name.tag },
  }));
}

function manifestEntry({ stored: { manifest }, names }: SavedImage): object {
  return {
    Config: blobName(manifest.config.digest),
    RepoTags: names.length > 0 ? names.map(familiarReference) : null,
    Layers: manifest.layers.map(({ digest }) => blobName(digest)),
  };
}

/** The oldest form: repository → tag → topmost layer. */
function repositoriesOf(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories = new Map<string, Map<string, string>>();
  for (const { stored, names } of images) {
    const top = stored.manifest.layers.at(-1);
    if (top === undefined) continue;
    for (const name of names) {
      const repository = familiarRepository(name);
      const tags = repositories.get(repository) ?? new Map<string, string>();
      repositories.set(repository, tags.set(name.tag, digestHex(top.digest)));
    }
  }
  const entries = [...repositories].map(
    ([name, tags]) => [name, Object.fromEntries(tags)] as const,
  );
  return Object.fromEntries(entries);
}

async function* packBlob(blob: Descriptor, content: ContentStore): AsyncGenerator<Uint8Array> {
  const sizeBytes = await content.findSize(blob.digest);
  if (sizeBytes !== blob.sizeBytes) throw damaged(blob.digest);
  yield tarHeader(blobName(blob.digest), sizeBytes);
  const hash = createHash("sha256");
  for await (const chunk of content.stream(blob.digest) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    yield chunk;
  }
  if (digestOfHex(hash.digest("hex")) !== blob.digest) throw damaged(blob.digest);
  yield tarPadding(sizeBytes);
}

function* packFile(name: string, document: object): Generator<Uint8Array> {
  const bytes = Buffer.from(JSON.stringify(document));
  yield tarHeader(name, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

function blobName(digest: Digest): string {
  return `${BLOBS}${digestHex(digest)}`;
}

function damaged(digest: Digest): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot save: blob ${digest} is damaged: pull the image again`,
  );
}
