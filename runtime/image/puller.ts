import { ClusterError } from "../../core/errors.ts";
import { forEachBounded } from "./bounded.ts";
import { digestHex, shortDigest } from "./digest.ts";
import { readImage, type StoredImage } from "./image-catalog.ts";
import { CONFIG_BYTES_MAX, parseImageConfig } from "./image-config.ts";
import { type ImageIndex, type Manifest, parseManifest } from "./manifest.ts";
import { selectPlatform } from "./platform.ts";
import { byteProgress, type OnProgress, progress } from "./progress.ts";
import { familiarReference, formatReference, type Reference, withDigest } from "./reference.ts";
import { downloadBlob } from "./registry/blob-transfer.ts";
import {
  getManifest,
  type RegistryClient,
  type RemoteManifest,
} from "./registry/registry-client.ts";
import type { Repository } from "./registry/repository.ts";
import { SingleFlight } from "./single-flight.ts";
import type { ContentStore } from "./store/content-store.ts";
import type { LayerStore } from "./store/layer-store.ts";
import type { Descriptor, Digest, Platform, RegistryOptions, RemoteImage } from "./types.ts";

/** Layers of one image on their way at a time; as in Docker. */
const LAYERS_AT_ONCE_MAX = 3;

/** An image whose blobs are stored and whose layers are unpacked, but which has no name yet. */
export interface PulledImage {
  readonly stored: StoredImage;
  /** What the reference meant at the registry: of the index, when there is one. */
  readonly digest: Digest;
}

/** What a pull is told. */
export interface PullJob extends RegistryOptions {
  readonly reference: Reference;
  readonly platform: Platform;
  readonly onProgress: OnProgress;
}

/** Brings images from registries into the stores. */
export class Puller {
  readonly #client: RegistryClient;
  readonly #content: ContentStore;
  readonly #layers: LayerStore;
  /** By digest: images that share a layer fetch it once, also when pulled at the same time. */
  readonly #downloads = new SingleFlight<void>();

  constructor(client: RegistryClient, content: ContentStore, layers: LayerStore) {
    this.#client = client;
    this.#content = content;
    this.#layers = layers;
  }

  /**
   * @param isKnown whether an image is here already: then nothing is said of its layers.
   * @throws {ClusterError} see Images.pull; what came whole before the failure stays for the next attempt.
   */
  async pull(job: PullJob, isKnown: (id: Digest) => boolean): Promise<PulledImage> {
    const { reference, onProgress } = job;
    const { repository, manifest: top } = await this.#client.fetchManifest(reference, job);
    onProgress(progress(pulledName(reference), `Pulling from ${reference.path}`));
    const { manifest, remote } = await chooseImage(repository, top, job.platform);
    await this.#fetch(repository, manifest.config, CONFIG_BYTES_MAX, () => {});
    const descriptor: Descriptor = {
      mediaType: manifest.mediaType,
      digest: await this.#content.put(remote.bytes),
      sizeBytes: remote.bytes.length,
    };
    const stored = await readImage(this.#content, descriptor);
    const isQuiet = isKnown(manifest.config.digest);
    await this.#pullLayers(repository, stored, job, isQuiet);
    onProgress(progress("", `Digest: ${top.digest}`));
    return { stored, digest: top.digest };
  }

  /** Asks what a reference means, without its layers. @throws {ClusterError} see Images.resolveDigest. */
  async resolve(reference: Reference, options: RegistryOptions): Promise<RemoteImage> {
    const { repository, manifest } = await this.#client.fetchManifest(reference, options);
    const document = parseManifest(manifest.bytes);
    const { digest, bytes } = manifest;
    const descriptor = { mediaType: document.mediaType, digest, sizeBytes: bytes.length };
    if (document.kind === "index")
      return { descriptor, platforms: document.entries.flatMap(({ platform }) => platform ?? []) };
    await this.#fetch(repository, document.config, CONFIG_BYTES_MAX, () => {});
    const config = await this.#content.read(document.config.digest, CONFIG_BYTES_MAX);
    return { descriptor, platforms: [parseImageConfig(config).platform] };
  }

  async #pullLayers(
    repository: Repository,
    image: StoredImage,
    job: PullJob,
    isQuiet: boolean,
  ): Promise<void> {
    const layers = image.manifest.layers.flatMap((blob, i) => {
      const diffId = image.config.diffIds[i];
      return diffId === undefined ? [] : [{ blob, diffId }];
    });
    const missing: typeof layers = [];
    for (const layer of layers) {
      const isHere = await this.#isHere(layer);
      if (!isHere) missing.push(layer);
      const status = isHere ? "Already exists" : "Pulling fs layer";
      if (!isHere || !isQuiet) job.onProgress(progress(shortDigest(layer.blob.digest), status));
    }
    await forEachBounded(missing, LAYERS_AT_ONCE_MAX, job.signal, ({ blob, diffId }, signal) =>
      this.#pullLayer(repository.until(signal), blob, diffId, job.onProgress),
    );
  }

  async #isHere({ blob, diffId }: { blob: Descriptor; diffId: Digest }): Promise<boolean> {
    if (!(await this.#layers.has(diffId))) return false;
    return (await this.#content.findSize(blob.digest)) !== undefined;
  }

  async #pullLayer(
    repository: Repository,
    blob: Descriptor,
    diffId: Digest,
    onProgress: OnProgress,
  ): Promise<void> {
    const id = shortDigest(blob.digest);
    const path = this.#content.path(blob.digest);
    await this.#fetch(repository, blob, Number.POSITIVE_INFINITY, onProgress);
    onProgress(progress(id, "Download complete"));
    onProgress(progress(id, "Extracting", 0, blob.sizeBytes));
    try {
      await this.#layers.ensure(diffId, path, repository.signal);
    } catch (error) {
      if (refusesContent(error)) await this.#content.remove(blob.digest);
      throw error;
    }
    onProgress(progress(id, "Pull complete"));
  }

  async #fetch(
    repository: Repository,
    blob: Descriptor,
    bytesMax: number,
    onProgress: OnProgress,
  ): Promise<void> {
    if (blob.sizeBytes > bytesMax)
      throw new ClusterError(
        "ResourceExhausted",
        `blob ${blob.digest} is larger than ${bytesMax} bytes`,
      );
    if ((await this.#content.findSize(blob.digest)) !== undefined) return;
    const onBytes = byteProgress(blob, "Downloading", onProgress);
    await this.#downloads.run(
      digestHex(blob.digest),
      (signal) => downloadBlob(repository.until(signal), blob, this.#content, onBytes),
      repository.signal,
    );
  }
}

/** The manifest for the platform: the one the reference means, or the fitting one of its index. */
async function chooseImage(
  repository: Repository,
  top: RemoteManifest,
  platform: Platform,
): Promise<{ readonly manifest: Manifest; readonly remote: RemoteManifest }> {
  const document = parseManifest(top.bytes);
  if (document.kind === "manifest") return { manifest: document, remote: top };
  const remote = await getManifest(repository, chooseEntry(document, platform, repository));
  const manifest = parseManifest(remote.bytes);
  if (manifest.kind === "manifest") return { manifest, remote };
  throw new ClusterError(
    "InvalidArgument",
    `cannot pull ${repository.subject.reference}: its index holds another index`,
  );
}

function chooseEntry(index: ImageIndex, platform: Platform, repository: Repository): Digest {
  try {
    return selectPlatform(index.entries, platform).digest;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const { reference } = repository.subject;
    throw new ClusterError(error.code, `cannot pull ${reference}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Whether the failure is the blob's own: it would fail again. */
function refusesContent(error: unknown): boolean {
  return (
    error instanceof ClusterError && (error.code === "DataLoss" || error.code === "InvalidArgument")
  );
}

/** As Docker begins: the tag, or the whole name with a digest. */
function pulledName(reference: Reference): string {
  const { tag, digest } = reference;
  return digest === undefined ? tag : formatReference(withDigest(reference, digest));
}

/** What Docker says last. */
export function pullStatus(reference: Reference, isNew: boolean): string {
  const name = familiarReference(reference);
  return isNew
    ? `Status: Downloaded newer image for ${name}`
    : `Status: Image is up to date for ${name}`;
}
