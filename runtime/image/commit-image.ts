import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { ClusterError } from "../../core/errors.ts";
import { digestOfHex } from "./digest.ts";
import { readImage, type StoredImage } from "./image-catalog.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
import { findBareMountPoints } from "./layer/mount-points.ts";
import { packLayer } from "./layer/pack-layer.ts";
import { TreePacker } from "./layer/pack-tree.ts";
import { encodeManifest, LAYERS_MAX, MediaType } from "./manifest.ts";
import type { ContentStore } from "./store/content-store.ts";
import type { LayerStore } from "./store/layer-store.ts";
import type { CommitOptions, Descriptor, Digest, Platform } from "./types.ts";

/** Of 9: a step that writes much waits for it. Beside the usual 6, a system's libraries take 3 % more and 40 % less time. */
const GZIP_LEVEL = 4;
const GZIP_CHUNK_BYTES = 64 * 1024;

/** A layer made here: packed for registries, and what it unpacks to. */
interface NewLayer {
  readonly blob: Descriptor;
  readonly diffId: Digest;
}

interface Stores {
  readonly content: ContentStore;
  readonly layers: LayerStore;
}

/** What an image is made of. */
export interface CommitSource {
  /** Undefined: nothing lies below. */
  readonly base: StoredImage | undefined;
  /** What has changed over it; undefined: nothing but the configuration. */
  readonly upperDir: string | undefined;
  /** It becomes the layer itself; nobody writes to it any more, and what was there is empty afterwards. */
  readonly takesUpper: boolean;
  /** Of an image without a base. */
  readonly platform: Platform;
}

/**
 * Makes an image of another one and an upper directory over it. One with nothing in it makes no layer.
 *
 * @throws {ClusterError} ResourceExhausted (layers, disk), FailedPrecondition. It has no name yet.
 */
export async function commitImage(
  { base, upperDir, takesUpper, platform }: CommitSource,
  stores: Stores,
  options: Omit<CommitOptions, "name">,
): Promise<StoredImage> {
  const { content } = stores;
  const below = base?.manifest.layers ?? [];
  const upper = upperDir === undefined ? undefined : { upperDir, takesUpper };
  const layer = upper === undefined ? undefined : await storeLayer(upper, base, stores);
  const config = await storeConfig({ base, platform }, layer, content, options);
  const bytes = encodeManifest(config, [...below, ...(layer === undefined ? [] : [layer.blob])]);
  const digest = await content.put(bytes);
  const mediaType = MediaType.OciManifest;
  return readImage(content, { mediaType, digest, sizeBytes: bytes.length });
}

/** Undefined: there is nothing to make a layer of. */
async function storeLayer(
  { upperDir, takesUpper }: { readonly upperDir: string; readonly takesUpper: boolean },
  base: StoredImage | undefined,
  { content, layers }: Stores,
): Promise<NewLayer | undefined> {
  const diffIds = base?.config.diffIds ?? [];
  const lowerDirs = diffIds.toReversed().map((diffId) => layers.path(diffId));
  const without = findBareMountPoints(upperDir, lowerDirs);
  if (readdirSync(upperDir).every((name) => without.has(name))) return undefined;
  if (diffIds.length >= LAYERS_MAX)
    throw new ClusterError(
      "ResourceExhausted",
      `cannot commit: an image has ${LAYERS_MAX} layers at most`,
    );
  const packer = new TreePacker("layer", { without, removes: takesUpper });
  const layer = await storeBlob(packLayer(upperDir, packer), content);
  if (takesUpper) await layers.take(layer.diffId, upperDir, packer.contentBytes);
  else await layers.ensure(layer.diffId, content.path(layer.blob.digest));
  return layer;
}

async function storeBlob(
  archive: AsyncIterable<Uint8Array>,
  content: ContentStore,
): Promise<NewLayer> {
  const hash = createHash("sha256");
  const unpacked = Readable.from(hashed(archive, hash));
  const packed = createGzip({ level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES });
  unpacked.on("error", (error) => packed.destroy(error));
  const writer = await content.startBlob();
  try {
    for await (const chunk of unpacked.pipe(packed) as AsyncIterable<Uint8Array>)
      await writer.write(chunk);
    const { sizeBytes } = writer;
    const digest = await writer.commit();
    const diffId = digestOfHex(hash.digest("hex"));
    return { blob: { mediaType: MediaType.OciLayerGzip, digest, sizeBytes }, diffId };
  } finally {
    unpacked.destroy();
    packed.destroy();
    await writer.close();
  }
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    // A stream takes an empty chunk for nothing at all, but not in object mode.
    if (chunk.length > 0) yield chunk;
  }
}

/** The base's document, with what is new; what only its builder's machine knew is left out. */
async function storeConfig(
  { base, platform }: Pick<CommitSource, "base" | "platform">,
  layer: NewLayer | undefined,
  content: ContentStore,
  { createdMs, author, comment, createdBy, config }: Omit<CommitOptions, "name">,
): Promise<Descriptor> {
  const {
    container: _,
    container_config: __,
    ...kept
  } = base === undefined
    ? emptyDocument(platform)
    : parseJsonObject(Buffer.from(base.rawConfig), "image configuration");
  const created = new Date(createdMs).toISOString();
  const history = Array.isArray(kept.history) ? kept.history : [];
  const step = {
    created,
    created_by: createdBy,
    ...(author === "" ? {} : { author }),
    ...(comment === "" ? {} : { comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  const diffIds = [...(base?.config.diffIds ?? []), ...(layer === undefined ? [] : [layer.diffId])];
  const document = {
    ...kept,
    created,
    ...(author === "" ? {} : { author }),
    config,
    history: [...history, step],
    rootfs: { type: "layers", diff_ids: diffIds },
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = await content.put(bytes);
  return { mediaType: MediaType.OciConfig, digest, sizeBytes: bytes.length };
}

function emptyDocument({ os, architecture, variant }: Platform): JsonObject {
  return { os, architecture, ...(variant === "" ? {} : { variant }) };
}
