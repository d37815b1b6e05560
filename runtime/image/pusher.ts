import { forEachBounded } from "./bounded.ts";
import { shortDigest } from "./digest.ts";
import type { StoredImage } from "./image-catalog.ts";
import { MANIFEST_BYTES_MAX } from "./manifest.ts";
import { byteProgress, type OnProgress, progress } from "./progress.ts";
import type { MountSources } from "./push-plan.ts";
import type { Reference } from "./reference.ts";
import { uploadBlob } from "./registry/blob-transfer.ts";
import type { RegistryClient } from "./registry/registry-client.ts";
import type { Repository } from "./registry/repository.ts";
import { withRetries } from "./registry/retry.ts";
import type { ContentStore } from "./store/content-store.ts";
import type { Descriptor, RegistryOptions } from "./types.ts";

/** As in Docker. */
const LAYERS_AT_ONCE_MAX = 5;

/** What a push is told. */
export interface PushJob extends RegistryOptions {
  readonly reference: Reference;
  readonly image: StoredImage;
  readonly onProgress: OnProgress;
  /** Other repositories of the same registry that have a layer. */
  readonly mountSources: MountSources;
}

/**
 * Sends an image: its blobs, and when all are there the manifest that names them.
 *
 * Blobs go as they are stored, so the digest is that of the image pulled or loaded.
 *
 * @throws {ClusterError} see Images.push.
 */
export async function pushImage(
  client: RegistryClient,
  content: ContentStore,
  job: PushJob,
): Promise<void> {
  const { reference, image, onProgress } = job;
  const repository = await client.openForPush(reference, job);
  const { layers, config } = image.manifest;
  for (const layer of layers) onProgress(progress(shortDigest(layer.digest), "Preparing"));
  await forEachBounded(layers, LAYERS_AT_ONCE_MAX, job.signal, (layer, signal) =>
    pushLayer(repository.until(signal), content, layer, job),
  );
  await uploadBlob(repository, config, content, { onBytes: () => {}, mountable: [] });
  await putManifest(repository, content, job);
  const { digest, sizeBytes } = image.descriptor;
  onProgress(progress("", `${reference.tag || digest}: digest: ${digest} size: ${sizeBytes}`));
}

async function pushLayer(
  repository: Repository,
  content: ContentStore,
  layer: Descriptor,
  { onProgress, mountSources }: PushJob,
): Promise<void> {
  const id = shortDigest(layer.digest);
  const onBytes = byteProgress(layer, "Pushing", onProgress);
  const mountable = mountSources.get(layer.digest) ?? [];
  const { how, from } = await uploadBlob(repository, layer, content, { onBytes, mountable });
  const status = { sent: "Pushed", found: "Layer already exists", mounted: `Mounted from ${from}` };
  onProgress(progress(id, status[how]));
}

async function putManifest(
  repository: Repository,
  content: ContentStore,
  { reference, image }: PushJob,
): Promise<void> {
  const { digest, mediaType } = image.descriptor;
  const body = await content.read(digest, MANIFEST_BYTES_MAX);
  const target = `manifests/${reference.tag || digest}`;
  const headers = { "content-type": mediaType };
  await withRetries(async () => {
    const response = await repository.send({ method: "PUT", target, headers, body }, [201]);
    await response.body.dump();
  }, repository.signal);
}
