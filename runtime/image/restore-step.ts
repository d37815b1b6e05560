import type { CachedStep } from "./cached-step.ts";
import { readImage, type StoredImage } from "./image-catalog.ts";
import { type JsonObject, listAt } from "./json.ts";
import { encodeManifest, LAYERS_MAX, MediaType } from "./manifest.ts";
import type { ContentStore } from "./store/content-store.ts";

const HISTORY_MAX = 10_000;

/**
 * Makes an image of one step of another image's history, over what it was done over. Its layer is the other's.
 *
 * @param document of what lies below, with the configuration after the step. It has no name yet.
 */
export async function restoreStep(
  from: {
    readonly below: StoredImage | undefined;
    readonly source: StoredImage;
    readonly cached: CachedStep;
  },
  content: ContentStore,
  document: JsonObject,
): Promise<StoredImage> {
  const { below, source, cached } = from;
  const at = cached.layer;
  const blobs = source.manifest.layers.slice(at ?? LAYERS_MAX, (at ?? LAYERS_MAX) + 1);
  const diffIds = source.config.diffIds.slice(at ?? LAYERS_MAX, (at ?? LAYERS_MAX) + 1);
  const whole = {
    ...document,
    created: cached.entry.created,
    history: [...listAt(document.history, "image history", HISTORY_MAX), cached.entry],
    rootfs: { type: "layers", diff_ids: [...(below?.config.diffIds ?? []), ...diffIds] },
  };
  const bytes = Buffer.from(JSON.stringify(whole));
  const digest = await content.put(bytes);
  const config = { mediaType: MediaType.OciConfig, digest, sizeBytes: bytes.length };
  const manifest = encodeManifest(config, [...(below?.manifest.layers ?? []), ...blobs]);
  return readImage(content, {
    mediaType: MediaType.OciManifest,
    digest: await content.put(manifest),
    sizeBytes: manifest.length,
  });
}
