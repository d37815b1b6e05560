import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import { type Log, silentLog } from "../../core/log.ts";
import { loadArchive } from "./archive/load-archive.ts";
import { planSave } from "./archive/plan-save.ts";
import { saveArchive } from "./archive/save-archive.ts";
import { BuildSteps, NO_STEP } from "./build-steps.ts";
import { commitImage } from "./commit-image.ts";
import { type FoundImage, findImage, storedName } from "./find-image.ts";
import { Housekeeping } from "./housekeeping.ts";
import { ImageCatalog, type StoredImage } from "./image-catalog.ts";
import { ImageEvents } from "./image-events.ts";
import { withNames } from "./image-records.ts";
import { ImageRemover } from "./image-remover.ts";
import { importArchive } from "./import-archive.ts";
import { completePlatform, formatPlatform, platformOf } from "./platform.ts";
import { ProgressHub, progress } from "./progress.ts";
import { Puller, type PullJob, pullStatus } from "./puller.ts";
import { mountSourcesOf, nothingToPush } from "./push-plan.ts";
import { pushImage } from "./pusher.ts";
import {
  checkNotAlgorithm,
  familiarReference,
  formatReference,
  parseDomain,
  parseReference,
  type Reference,
  repositoryName,
  splitSearchTerm,
  withDigest,
} from "./reference.ts";
import { RegistryClient } from "./registry/registry-client.ts";
import { SingleFlight } from "./single-flight.ts";
import { Snapshots } from "./snapshots.ts";
import { StepImages } from "./step-images.ts";
import { ContentStore } from "./store/content-store.ts";
import { replaceFile } from "./store/durable-file.ts";
import { EMPTY_LAYER, LayerStore } from "./store/layer-store.ts";
import type {
  CommitOptions,
  Credentials,
  Descriptor,
  Digest,
  Image,
  ImageStoreOptions,
  Images,
  ImageUser,
  ImportOptions,
  LoadedImage,
  LoadOptions,
  Platform,
  PullOptions,
  RegistryOptions,
  RemoteImage,
  RemovedImage,
  Rootfs,
  SearchResult,
  TransferOptions,
} from "./types.ts";

/** The parts an image store is made of, each open. */
interface Parts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly catalog: ImageCatalog;
  readonly snapshots: Snapshots;
  readonly client: RegistryClient;
  readonly events: ImageEvents;
  readonly built: BuildSteps;
}

const LAYOUT_MARK = '{"imageLayoutVersion":"1.0.0"}';

/**
 * This machine's images, under a data root: `image/` is an OCI layout (what was pulled, as it was), `overlay/` holds the
 * unpacked layers and the containers' writable parts.
 */
export class ImageStore implements Images {
  readonly #parts: Parts;
  readonly #puller: Puller;
  readonly #platform: Platform = platformOf(process.arch);
  readonly #housekeeping = new Housekeeping(() => this.#sweep());
  readonly steps: StepImages;
  readonly #pulls = new SingleFlight<Image>();
  /** Who listens to which pull; an entry lives as long as the pull. */
  readonly #hubs = new Map<string, ProgressHub>();
  readonly #remover: ImageRemover;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#puller = new Puller(parts.client, parts.content, parts.layers);
    this.steps = new StepImages({ ...parts, steps: parts.built }, (work) =>
      this.#housekeeping.during(work),
    );
    this.#remover = new ImageRemover({
      ...parts,
      steps: this.steps,
      housekeeping: this.#housekeeping,
      find: (nameOrId) => this.#find(nameOrId),
      neededLayers: () => this.#neededLayers(),
    });
  }

  /**
   * Opens or makes the store and removes what was left half done. One process at a time: whoever owns the data root.
   *
   * @throws {ClusterError} PermissionDenied, ResourceExhausted, DataLoss (the catalog cannot be read).
   */
  static async open(
    dataRoot: string,
    options: ImageStoreOptions = {},
    log: Log = silentLog,
  ): Promise<ImageStore> {
    const image = join(dataRoot, "image");
    const overlay = join(dataRoot, "overlay");
    await mkdir(image, { recursive: true, mode: 0o700 });
    await mkdir(overlay, { recursive: true, mode: 0o700 });
    const content = await ContentStore.open(image);
    await replaceFile(join(image, "oci-layout"), LAYOUT_MARK);
    const layers = await LayerStore.open(overlay);
    const catalog = await ImageCatalog.open(
      join(image, "index.json"),
      content,
      (diffId) => layers.sizeOf(diffId),
      log,
    );
    const snapshots = await Snapshots.open(overlay, layers, log);
    const client = new RegistryClient({
      insecureRegistries: options.insecureRegistries ?? [],
      mirrors: options.registryMirrors ?? [],
    });
    const events = new ImageEvents(options.events ?? { publish() {} });
    const built = await BuildSteps.open(join(image, "builds.json"), catalog.ids, log);
    const store = new ImageStore({ content, layers, catalog, snapshots, client, events, built });
    await store.#housekeeping.sweepSoon();
    return store;
  }

  /** Who is asked before an image is removed: whether a container runs. */
  protectWith(isRunning: (containerId: string) => boolean): void {
    this.#remover.protectWith(isRunning);
  }

  /** Which registries may be spoken to without TLS, and what stands before docker.io, from the next request on. */
  setRegistries(registries: {
    readonly insecureRegistries: readonly string[];
    readonly registryMirrors: readonly string[];
  }): void {
    const { insecureRegistries, registryMirrors } = registries;
    this.#parts.client.setEndpoints({ insecureRegistries, mirrors: registryMirrors });
  }

  /** Ends connections to registries. Containers and files stay as they are. */
  async close(): Promise<void> {
    await this.#parts.client.close();
    await this.#parts.snapshots.close();
  }

  async pull(text: string, options: PullOptions = {}): Promise<Image> {
    const reference = parseReference(text);
    const platform = completePlatform(options.platform ?? this.#platform, this.#platform);
    // Another user's pull is another pull: what one may see the other may not.
    const who = JSON.stringify(options.credentials ?? null);
    const key = [formatReference(reference), formatPlatform(platform), who].join(" ");
    const hub = this.#hubs.get(key) ?? new ProgressHub();
    this.#hubs.set(key, hub);
    const stopListening = hub.listen(options.onProgress);
    const { credentials } = options;
    try {
      return await this.#pulls.run(
        key,
        (signal) => this.#pull({ reference, platform, credentials, signal, onProgress: hub.emit }),
        options.signal,
      );
    } finally {
      stopListening();
      if (hub.isDeserted && this.#hubs.get(key) === hub) this.#hubs.delete(key);
    }
  }

  async load(
    archive: AsyncIterable<Uint8Array>,
    options: LoadOptions = {},
  ): Promise<readonly LoadedImage[]> {
    const { content, layers, catalog, events } = this.#parts;
    const { onProgress = () => {} } = options;
    const platform = completePlatform(options.platform ?? this.#platform, this.#platform);
    return this.#housekeeping.during(async () => {
      const target = { content, layers, platform, onProgress };
      const loaded: LoadedImage[] = [];
      for (const { stored, names } of await loadArchive(archive, target)) {
        await this.#name(stored, names);
        const image = catalog.getById(stored.manifest.config.digest);
        loaded.push({ image, names: names.map(familiarReference) });
        events.happened("load", image.id, image);
      }
      return loaded;
    });
  }

  async *save(references: readonly string[]): AsyncGenerator<Uint8Array> {
    const { catalog, content, events } = this.#parts;
    // What is read stays until it has been read, whatever is removed meanwhile.
    const release = await this.#housekeeping.begin();
    try {
      const images = planSave(references, catalog, (ref) => this.#find(ref));
      yield* saveArchive(images, content);
      for (const { stored } of images) {
        const { digest } = stored.manifest.config;
        events.happened(
          "save",
          digest,
          catalog.images.find(({ id }) => id === digest),
        );
      }
    } finally {
      await release();
    }
  }

  async import(archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<Image> {
    const { content, layers, catalog, events } = this.#parts;
    const names = options.name === "" ? [] : [parseReference(options.name)];
    if (names.some(({ digest }) => digest !== undefined))
      throw new ClusterError("InvalidArgument", "cannot import digest reference");
    const platform = completePlatform(options.platform ?? this.#platform, this.#platform);
    return this.#housekeeping.during(async () => {
      const stored = await importArchive(archive, { content, layers, platform }, options);
      await this.#name(stored, names);
      const image = catalog.getById(stored.manifest.config.digest);
      events.happened("import", image.id, image);
      for (const name of names) events.tagged(image, name);
      return image;
    });
  }

  async commit(containerId: string, options: CommitOptions): Promise<Image> {
    const { content, layers, catalog, snapshots, built } = this.#parts;
    const names = options.name === "" ? [] : [parseReference(options.name)];
    const imageId = snapshots.imageOf(containerId);
    if (imageId === undefined)
      throw new ClusterError("NotFound", `container ${containerId} has no root file system`);
    if (!catalog.ids.includes(imageId)) {
      const message = `cannot commit: image ${imageId} of the container was removed: pull it again`;
      throw new ClusterError("FailedPrecondition", message);
    }
    return this.#housekeeping.during(async () => {
      const from = {
        base: catalog.getStored(imageId),
        upperDir: snapshots.upperDirOf(containerId),
        takesUpper: false,
        platform: this.#platform,
      };
      const stored = await commitImage(from, { content, layers }, options);
      await this.#name(stored, names);
      const { digest } = stored.manifest.config;
      await built.add({ image: digest, parent: imageId, key: NO_STEP });
      const image = catalog.getById(stored.manifest.config.digest);
      for (const name of names) this.#parts.events.tagged(image, name);
      return image;
    });
  }

  async push(text: string, options: TransferOptions = {}): Promise<Descriptor> {
    const { content, catalog, client, events } = this.#parts;
    const reference = parseReference(text);
    const image = catalog.findByName(storedName(reference));
    const onProgress = options.onProgress ?? (() => {});
    onProgress(progress("", `The push refers to repository [${repositoryName(reference)}]`));
    if (image === undefined) throw nothingToPush(reference, catalog);
    const mountSources = mountSourcesOf(reference, catalog);
    await this.#housekeeping.during(() =>
      pushImage(client, content, { ...options, reference, image, onProgress, mountSources }),
    );
    await this.#name(image, [withDigest(reference, image.descriptor.digest)]);
    events.transferred("push", reference, catalog.getById(image.manifest.config.digest));
    return image.descriptor;
  }

  async listTags(repository: string, options: RegistryOptions = {}): Promise<readonly string[]> {
    return this.#parts.client.listTags(parseReference(repository), options);
  }

  async login(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<string> {
    return this.#parts.client.login(parseDomain(registry), credentials, signal);
  }

  async search(
    term: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly SearchResult[]> {
    return this.#parts.client.search(splitSearchTerm(term), limit, signal);
  }

  async tag(source: string, target: string): Promise<void> {
    const { catalog, events } = this.#parts;
    const name = parseReference(target);
    if (name.digest !== undefined)
      throw new ClusterError("InvalidArgument", "refusing to create a tag with a digest reference");
    checkNotAlgorithm(name);
    const { id } = this.#find(source);
    await this.#name(catalog.getStored(id), [name]);
    events.tagged(catalog.getById(id), name);
  }

  list(): readonly Image[] {
    return this.#parts.catalog.images;
  }

  get(nameOrId: string): Image {
    return this.#parts.catalog.getById(this.#find(nameOrId).id);
  }

  async remove(
    nameOrId: string,
    options: { readonly force?: boolean; readonly keepParents?: boolean } = {},
  ): Promise<RemovedImage> {
    return this.#remover.remove(nameOrId, options);
  }

  async prune(fits: (image: Image) => boolean): Promise<RemovedImage> {
    return this.#remover.prune(fits);
  }

  usersOf(imageId: Digest): readonly ImageUser[] {
    return this.#remover.usersOf(imageId);
  }

  layerBytes(diffId: Digest): number {
    return this.#parts.layers.sizeOf(diffId);
  }

  resolveDigest(text: string, options: RegistryOptions = {}): Promise<RemoteImage> {
    return this.#housekeeping.during(() => this.#puller.resolve(parseReference(text), options));
  }

  prepareRootfs(imageId: Digest, containerId: string): Promise<Rootfs> {
    const { catalog, snapshots } = this.#parts;
    return snapshots.prepare(catalog.getById(imageId), containerId);
  }

  mountRootfs(rootfs: Rootfs): Promise<void> {
    return this.#parts.snapshots.mount(rootfs);
  }

  unmountRootfs({ merged }: Pick<Rootfs, "merged">): Promise<void> {
    return this.#parts.snapshots.unmount(merged);
  }

  async removeRootfs(containerId: string): Promise<void> {
    const { catalog, snapshots } = this.#parts;
    const imageId = snapshots.imageOf(containerId);
    await snapshots.remove(containerId);
    // Of an image that was removed while this container used it, the layers can go now.
    if (imageId !== undefined && !catalog.ids.includes(imageId))
      await this.#housekeeping.sweepSoon();
  }

  async #pull(job: PullJob): Promise<Image> {
    const { catalog, events } = this.#parts;
    return this.#housekeeping.during(async () => {
      const before = catalog.findIdByName(storedName(job.reference));
      const { stored, digest } = await this.#puller.pull(job, (id) => catalog.ids.includes(id));
      const byDigest = withDigest(job.reference, digest);
      const byTag = job.reference.digest === undefined ? [job.reference] : [];
      await this.#name(stored, [...byTag, byDigest]);
      const id = stored.manifest.config.digest;
      job.onProgress(progress("", pullStatus(job.reference, before !== id)));
      const image = catalog.getById(id);
      events.transferred("pull", job.reference, image);
      return image;
    });
  }

  async #name(image: StoredImage, references: readonly Reference[]): Promise<void> {
    const names = references.map(formatReference);
    await this.#parts.catalog.change(
      (records) => withNames(records, names, image.descriptor),
      [image],
    );
  }

  #find(nameOrId: string): FoundImage {
    const found = findImage(this.#parts.catalog, nameOrId);
    if (found !== undefined) return found;
    throw new ClusterError("NotFound", `No such image: ${wholeName(nameOrId)}`);
  }

  #neededLayers(): ReadonlySet<Digest> {
    const { catalog, snapshots } = this.#parts;
    const layers = catalog.images.flatMap((image) => image.layers);
    return new Set([EMPTY_LAYER, ...layers, ...snapshots.layers]);
  }

  /** Removes blobs and layers no image and no container needs. */
  async #sweep(): Promise<void> {
    const { content, layers, catalog } = this.#parts;
    const blobs = new Set<Digest>();
    for (const { descriptor, manifest } of catalog.stored)
      for (const { digest } of [descriptor, manifest.config, ...manifest.layers]) blobs.add(digest);
    for (const digest of await content.list()) if (!blobs.has(digest)) await content.remove(digest);
    const needed = this.#neededLayers();
    for (const diffId of await layers.list()) if (!needed.has(diffId)) await layers.remove(diffId);
  }
}

/** What was asked for, with the tag it means; an id as it is. */
function wholeName(nameOrId: string): string {
  return nameOrId.startsWith("sha256:") || /^[0-9a-f]{64}$/.test(nameOrId)
    ? nameOrId
    : familiarReference(parseReference(nameOrId));
}
