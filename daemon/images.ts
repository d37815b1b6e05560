import type { ImageBackend } from "../api/backend.ts";
import type { Images } from "../runtime/image/types.ts";

/** This machine's images as the API shows them. */
export function newImages(images: Pick<Images, "list" | "load">): ImageBackend {
  return {
    listImages: () =>
      images.list().map(({ id, repoTags, repoDigests, created, sizeBytes, config }) => ({
        id,
        repoTags,
        repoDigests,
        // A builder may leave the time out.
        createdAtMs: Date.parse(created) || 0,
        sizeBytes,
        labels: config.labels,
      })),
    async loadImages(archive) {
      const loaded = await images.load(archive);
      return loaded.flatMap(({ image, names }) => (names.length > 0 ? names : [image.id]));
    },
  };
}
