import { readFile } from "node:fs/promises";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { ImageNames } from "./find-image.ts";
import { CONFIG_BYTES_MAX, type ParsedConfig, parseImageConfig } from "./image-config.ts";
import { encodeRecords, type ImageRecord, parseRecords } from "./image-records.ts";
import { MANIFEST_BYTES_MAX, type Manifest, parseManifest } from "./manifest.ts";
import { familiarReference, parseReference } from "./reference.ts";
import type { ContentStore } from "./store/content-store.ts";
import { replaceFile } from "./store/durable-file.ts";
import type { Descriptor, Digest, Image } from "./types.ts";

/** An image's documents, read and checked. */
export interface StoredImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ParsedConfig;
  readonly rawConfig: string;
}

/** Which images this machine has and what they are called: `index.json` of the OCI layout, and the same in memory. */
export class ImageCatalog implements ImageNames {
  readonly #path: string;
  #records: readonly ImageRecord[] = [];
  /** By manifest digest; one for every record. */
  #stored: ReadonlyMap<Digest, StoredImage> = new Map();
  #images: readonly Image[] = [];
  /** Changes are made one after the other. */
  #changing: Promise<void> = Promise.resolve();
  readonly #layerBytes: (diffId: Digest) => number;

  private constructor(path: string, layerBytes: (diffId: Digest) => number) {
    this.#path = path;
    this.#layerBytes = layerBytes;
  }

  /**
   * Reads the catalog; an image whose documents are damaged is left out and said in the log.
   *
   * @param layerBytes the size of an unpacked layer.
   */
  static async open(
    path: string,
    content: ContentStore,
    layerBytes: (diffId: Digest) => number,
    log: Log,
  ): Promise<ImageCatalog> {
    const catalog = new ImageCatalog(path, layerBytes);
    const stored = new Map<Digest, StoredImage>();
    const records: ImageRecord[] = [];
    for (const record of await readRecords(path)) {
      const { digest } = record.manifest;
      try {
        if (record.name !== "") parseReference(record.name);
        stored.set(digest, stored.get(digest) ?? (await readImage(content, record.manifest)));
        records.push(record);
      } catch (error) {
        log.error("image left out: pull it again", {
          name: record.name,
          digest,
          error: errorMessage(error),
        });
      }
    }
    catalog.#become(records, stored);
    return catalog;
  }

  /** All images, in the order they came. */
  get images(): readonly Image[] {
    return this.#images;
  }

  /** Every image's documents. */
  get stored(): Iterable<StoredImage> {
    return this.#stored.values();
  }

  get ids(): readonly Digest[] {
    return this.#images.map(({ id }) => id);
  }

  findIdByName(name: string): Digest | undefined {
    return this.findByName(name)?.manifest.config.digest;
  }

  /** The documents under a whole name; undefined when there is none. */
  findByName(name: string): StoredImage | undefined {
    const record = this.#records.find((candidate) => candidate.name === name);
    return record && this.#stored.get(record.manifest.digest);
  }

  /** The whole names of an image, sorted. */
  namesOf(imageId: Digest): readonly string[] {
    const records = this.#records.filter((record) => this.#idOf(record) === imageId);
    return records
      .map(({ name }) => name)
      .filter((name) => name !== "")
      .toSorted();
  }

  /** Digests of the manifests an image has: several when it came packed in different ways. */
  manifestsOf(imageId: Digest): ReadonlySet<Digest> {
    const own = [...this.#stored.values()].filter(
      ({ manifest }) => manifest.config.digest === imageId,
    );
    return new Set(own.map(({ descriptor }) => descriptor.digest));
  }

  /** Its documents; of several manifests the first. @throws {ClusterError} NotFound. */
  getStored(imageId: Digest): StoredImage {
    for (const image of this.#stored.values())
      if (image.manifest.config.digest === imageId) return image;
    throw new ClusterError("NotFound", `No such image: ${imageId}`);
  }

  /** The image with this id. @throws {ClusterError} NotFound. */
  getById(imageId: Digest): Image {
    const image = this.#images.find(({ id }) => id === imageId);
    if (image === undefined) throw new ClusterError("NotFound", `No such image: ${imageId}`);
    return image;
  }

  /**
   * Changes the records, on disk and then here.
   *
   * @param added documents of records that are new.
   */
  async change(
    plan: (records: readonly ImageRecord[]) => readonly ImageRecord[],
    added: readonly StoredImage[] = [],
  ): Promise<void> {
    const step = this.#changing.then(async () => {
      const records = plan(this.#records);
      await replaceFile(this.#path, encodeRecords(records));
      const known = [...this.#stored.values(), ...added];
      this.#become(records, new Map(known.map((image) => [image.descriptor.digest, image])));
    });
    this.#changing = step.catch(() => {});
    await step;
  }

  #become(records: readonly ImageRecord[], known: ReadonlyMap<Digest, StoredImage>): void {
    const used = new Set(records.map(({ manifest }) => manifest.digest));
    this.#records = records;
    this.#stored = new Map([...known].filter(([digest]) => used.has(digest)));
    const ids = new Set([...this.#stored.values()].map(({ manifest }) => manifest.config.digest));
    this.#images = [...ids].map((id) => this.#toImage(id));
  }

  #idOf(record: ImageRecord): Digest | undefined {
    return this.#stored.get(record.manifest.digest)?.manifest.config.digest;
  }

  #toImage(id: Digest): Image {
    const names = this.namesOf(id).map(parseReference);
    const { config, rawConfig } = this.getStored(id);
    return {
      id,
      repoTags: names.filter(({ digest }) => digest === undefined).map(familiarReference),
      repoDigests: names.filter(({ digest }) => digest !== undefined).map(familiarReference),
      config: config.config,
      platform: config.platform,
      created: config.created,
      sizeBytes: config.diffIds.reduce((sum, diffId) => sum + this.#layerBytes(diffId), 0),
      layers: config.diffIds,
      rawConfig,
    };
  }
}

/**
 * Reads an image's documents from the store.
 *
 * @throws {ClusterError} InvalidArgument, DataLoss, NotFound.
 */
export async function readImage(
  content: ContentStore,
  descriptor: Descriptor,
): Promise<StoredImage> {
  const manifest = parseManifest(await content.read(descriptor.digest, MANIFEST_BYTES_MAX));
  if (manifest.kind !== "manifest")
    throw new ClusterError("InvalidArgument", `${descriptor.digest} is an index, not an image`);
  const rawConfig = await content.read(manifest.config.digest, CONFIG_BYTES_MAX);
  const config = parseImageConfig(rawConfig);
  if (config.diffIds.length !== manifest.layers.length)
    throw new ClusterError(
      "InvalidArgument",
      `image has ${manifest.layers.length} layers, its configuration says ${config.diffIds.length}`,
    );
  return { descriptor, manifest, config, rawConfig: Buffer.from(rawConfig).toString() };
}

async function readRecords(path: string): Promise<readonly ImageRecord[]> {
  try {
    return parseRecords(await readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new ClusterError("DataLoss", `cannot read ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
