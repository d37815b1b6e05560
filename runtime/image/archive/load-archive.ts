import { ClusterError } from "../../../core/errors.ts";
import { digestHex, shortDigest } from "../digest.ts";
import { readImage, type StoredImage } from "../image-catalog.ts";
import { CONFIG_BYTES_MAX, parseImageConfig } from "../image-config.ts";
import { NAME_ANNOTATION } from "../image-records.ts";
import { LAYER_TYPES } from "../import-archive.ts";
import { listAt, objectAt, textAt, textsAt } from "../json.ts";
import { atMost } from "../layer/at-most.ts";
import { decompressed, fileCompression } from "../layer/decompress.ts";
import {
  encodeManifest,
  type ImageIndex,
  type IndexEntry,
  LAYERS_MAX,
  MANIFEST_BYTES_MAX,
  MediaType,
  parseManifest,
} from "../manifest.ts";
import { selectPlatform } from "../platform.ts";
import { type OnProgress, progress } from "../progress.ts";
import { parseReference, type Reference } from "../reference.ts";
import type { ContentStore } from "../store/content-store.ts";
import type { LayerStore } from "../store/layer-store.ts";
import type { Descriptor, Platform } from "../types.ts";
import { ArchiveFiles } from "./archive-files.ts";

/** An image of an archive: stored and unpacked, its names not yet given. */
export interface ArchiveImage {
  readonly stored: StoredImage;
  readonly names: readonly Reference[];
}

/** Where images of an archive go. */
export interface ArchiveTarget {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly platform: Platform;
  readonly onProgress: OnProgress;
}

/** Unpacked: what a bomb is stopped at. */
const ARCHIVE_BYTES_MAX = 256 * 1024 ** 3;
const IMAGES_MAX = 1000;
const NAMES_MAX = 1000;
/** Containerd and Docker write the whole name here; OCI's own annotation may hold a tag only. */
const WHOLE_NAME_ANNOTATION = "io.containerd.image.name";

/**
 * Reads `docker save` archives and OCI layouts in a tar, packed or not; of both, as newer Docker writes, the former.
 *
 * Layers stay packed as they are, so images from `docker save` have uncompressed blobs, also when pushed.
 *
 * @throws {ClusterError} InvalidArgument, DataLoss, ResourceExhausted. Nothing has a name yet, so nothing half loaded is seen.
 */
export async function loadArchive(
  archive: AsyncIterable<Uint8Array>,
  target: ArchiveTarget,
): Promise<readonly ArchiveImage[]> {
  const unpacked = decompressed(archive[Symbol.asyncIterator]());
  const bounded = atMost(unpacked, ARCHIVE_BYTES_MAX, "image archive");
  const files = await ArchiveFiles.read(bounded, target.content);
  const manifest = files.find("manifest.json");
  const index = files.find("index.json");
  if (manifest === undefined && index === undefined)
    throw new ClusterError(
      "InvalidArgument",
      "not an image archive: it has neither manifest.json (docker save) nor index.json (OCI)",
    );
  const found =
    manifest !== undefined
      ? await readDockerArchive(files, target)
      : await readLayout(files, target);
  for (const { stored } of found) {
    const { os } = stored.config.platform;
    if (os !== target.platform.os)
      throw new ClusterError("InvalidArgument", `cannot load ${os} image on ${target.platform.os}`);
  }
  for (const { stored } of found) await unpackLayers(stored, target);
  return found;
}

/** Source: moby, image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format". */
async function readDockerArchive(
  files: ArchiveFiles,
  { content }: ArchiveTarget,
): Promise<readonly ArchiveImage[]> {
  const bytes = await content.read(files.get("manifest.json").digest, MANIFEST_BYTES_MAX);
  const images: ArchiveImage[] = [];
  for (const value of listAt(parseList(bytes), "manifest.json", IMAGES_MAX)) {
    const item = objectAt(value, "manifest.json");
    const descriptor = await writeManifest(files, content, {
      config: textAt(item.Config, "manifest.json Config"),
      layers: textsAt(item.Layers, "manifest.json Layers", LAYERS_MAX),
    });
    const names = textsAt(item.RepoTags, "manifest.json RepoTags", NAMES_MAX).map(parseReference);
    images.push({ stored: await readImage(content, descriptor), names });
  }
  return images;
}

async function writeManifest(
  files: ArchiveFiles,
  content: ContentStore,
  item: { readonly config: string; readonly layers: readonly string[] },
): Promise<Descriptor> {
  const config = files.get(item.config);
  parseImageConfig(await content.read(config.digest, CONFIG_BYTES_MAX));
  const layers: Descriptor[] = [];
  for (const name of item.layers) {
    const { digest, sizeBytes } = files.get(name);
    const compression = await fileCompression(content.path(digest));
    layers.push({ mediaType: LAYER_TYPES[compression], digest, sizeBytes });
  }
  const bytes = encodeManifest({ mediaType: MediaType.OciConfig, ...config }, layers);
  const digest = await content.put(bytes);
  return { mediaType: MediaType.OciManifest, digest, sizeBytes: bytes.length };
}

/** Source: OCI image-spec, image-layout.md. Blobs were stored by their own digest: what an index names is there or is not. */
async function readLayout(
  files: ArchiveFiles,
  target: ArchiveTarget,
): Promise<readonly ArchiveImage[]> {
  const top = await readIndex(target.content, files.get("index.json"));
  const images: ArchiveImage[] = [];
  for (const entry of top.entries) {
    const stored = await readImage(target.content, await chooseManifest(entry, target));
    for (const { digest } of stored.manifest.layers) files.get(`blobs/sha256/${digestHex(digest)}`);
    images.push({ stored, names: namesOf(entry) });
  }
  return images;
}

/** An entry may be an index of platforms in turn. */
async function chooseManifest(entry: IndexEntry, target: ArchiveTarget): Promise<Descriptor> {
  const { mediaType } = entry;
  if (mediaType !== MediaType.OciIndex && mediaType !== MediaType.DockerList) return entry;
  return selectPlatform((await readIndex(target.content, entry)).entries, target.platform);
}

async function readIndex(
  content: ContentStore,
  { digest }: Pick<Descriptor, "digest">,
): Promise<ImageIndex> {
  const index = parseManifest(await content.read(digest, MANIFEST_BYTES_MAX));
  if (index.kind === "index") return index;
  throw new ClusterError("InvalidArgument", "image archive's index.json is not an index");
}

function namesOf({ annotations }: IndexEntry): readonly Reference[] {
  const whole = annotations[WHOLE_NAME_ANNOTATION];
  if (whole !== undefined) return [parseReference(whole)];
  const name = annotations[NAME_ANNOTATION] ?? "";
  return /[:/]/.test(name) ? [parseReference(name)] : [];
}

async function unpackLayers(
  { manifest, config }: StoredImage,
  { content, layers, onProgress }: ArchiveTarget,
): Promise<void> {
  for (const [i, { digest, sizeBytes }] of manifest.layers.entries()) {
    const diffId = config.diffIds[i];
    if (diffId === undefined || (await layers.has(diffId))) continue;
    const id = shortDigest(diffId);
    onProgress(progress(id, "Loading layer", 0, sizeBytes));
    await layers.ensure(diffId, content.path(digest));
    onProgress(progress(id, "Loading layer", sizeBytes, sizeBytes));
  }
}

function parseList(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new ClusterError("InvalidArgument", "image archive's manifest.json is not JSON", {
      cause,
    });
  }
}
