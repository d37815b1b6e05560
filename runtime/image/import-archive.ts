import { createHash } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { digestOfHex } from "./digest.ts";
import { readImage, type StoredImage } from "./image-catalog.ts";
import { atMost } from "./layer/at-most.ts";
import {
  asLayer,
  type Compression,
  decompressedFile,
  fileCompression,
} from "./layer/decompress.ts";
import { LAYER_BYTES_MAX } from "./layer/unpack.ts";
import { encodeManifest, MediaType } from "./manifest.ts";
import type { ContentStore } from "./store/content-store.ts";
import type { LayerStore } from "./store/layer-store.ts";
import type { Descriptor, Digest, ImportOptions, Platform } from "./types.ts";

/** Layers by how they are packed. */
export const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MediaType.OciLayer,
  gzip: MediaType.OciLayerGzip,
  zstd: MediaType.OciLayerZstd,
};

/**
 * Makes an image of one layer from a tar archive of a root file system, packed or not.
 *
 * @throws {ClusterError} InvalidArgument, ResourceExhausted. It has no name yet, so nothing half made is seen.
 */
export async function importArchive(
  archive: AsyncIterable<Uint8Array>,
  target: { content: ContentStore; layers: LayerStore; platform: Platform },
  options: ImportOptions,
): Promise<StoredImage> {
  try {
    return await makeImage(archive, target, options);
  } catch (error) {
    // What is damaged is what came, not what we have.
    if (!(error instanceof ClusterError) || error.code !== "DataLoss") throw error;
    throw new ClusterError("InvalidArgument", error.message, { cause: error });
  }
}

async function makeImage(
  archive: AsyncIterable<Uint8Array>,
  { content, layers, platform }: { content: ContentStore; layers: LayerStore; platform: Platform },
  options: ImportOptions,
): Promise<StoredImage> {
  const layer = await storeLayer(archive, content);
  const path = content.path(layer.digest);
  const diffId = await unpackedDigest(path);
  await layers.ensure(diffId, path, options.signal);
  const config = await storeConfig(content, diffId, platform, options);
  const bytes = encodeManifest(config, [layer]);
  const digest = await content.put(bytes);
  return readImage(content, {
    mediaType: MediaType.OciManifest,
    digest,
    sizeBytes: bytes.length,
  });
}

async function storeLayer(
  archive: AsyncIterable<Uint8Array>,
  content: ContentStore,
): Promise<Descriptor> {
  const writer = await content.startBlob();
  try {
    const bounded = atMost(asLayer(archive[Symbol.asyncIterator]()), LAYER_BYTES_MAX, "archive");
    for await (const chunk of bounded) await writer.write(chunk);
    const { sizeBytes } = writer;
    const digest = await writer.commit();
    const mediaType = LAYER_TYPES[await fileCompression(content.path(digest))];
    return { mediaType, digest, sizeBytes };
  } finally {
    await writer.close();
  }
}

async function unpackedDigest(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of atMost(decompressedFile(path), LAYER_BYTES_MAX, "archive"))
    hash.update(chunk);
  return digestOfHex(hash.digest("hex"));
}

async function storeConfig(
  content: ContentStore,
  diffId: Digest,
  { os, architecture, variant }: Platform,
  { createdMs, message, config }: ImportOptions,
): Promise<Descriptor> {
  const created = new Date(createdMs).toISOString();
  const document = {
    created,
    os,
    architecture,
    ...(variant === "" ? {} : { variant }),
    config,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, comment: message }],
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = await content.put(bytes);
  return { mediaType: MediaType.OciConfig, digest, sizeBytes: bytes.length };
}
