import { createHash } from "node:crypto";
import { unmountAside } from "../linux/mount.ts";
import type { BuildSteps } from "./build-steps.ts";
import { findCachedStep } from "./cached-step.ts";
import { commitImage } from "./commit-image.ts";
import type { ImageCatalog, StoredImage } from "./image-catalog.ts";
import { withNames } from "./image-records.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
import { restoreStep } from "./restore-step.ts";
import type { Snapshots } from "./snapshots.ts";
import type { ContentStore } from "./store/content-store.ts";
import { EMPTY_LAYER, type LayerStore } from "./store/layer-store.ts";
import type { BuildImages, Digest, Image, Rootfs, StepOptions } from "./types.ts";

interface Parts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly catalog: ImageCatalog;
  readonly snapshots: Snapshots;
  readonly steps: BuildSteps;
}

/** Images step by step, each over the one before. */
export class StepImages implements BuildImages {
  readonly #parts: Parts;
  /** How many hold each image. */
  readonly #held = new Map<Digest, number>();
  readonly #during: <T>(work: () => Promise<T>) => Promise<T>;

  /** @param during keeps what nothing refers to yet from being cleared away. */
  constructor(parts: Parts, during: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#parts = parts;
    this.#during = during;
  }

  find(base: Digest | undefined, key: string): Image | undefined {
    const { steps, catalog } = this.#parts;
    const found = steps.find(base, hashed(key));
    return found === undefined ? undefined : catalog.images.find(({ id }) => id === found);
  }

  async findIn(
    source: Digest,
    base: Digest | undefined,
    {
      createdBy,
      config,
      key,
      platform,
    }: Pick<StepOptions, "createdBy" | "config" | "key" | "platform">,
  ): Promise<Image | undefined> {
    const { catalog, content, steps } = this.#parts;
    const stored = catalog.getStored(source);
    const below = base === undefined ? undefined : catalog.getStored(base);
    const document = below === undefined ? undefined : documentOf(below);
    const cached = findCachedStep(document, documentOf(stored), createdBy);
    if (cached === undefined) return undefined;
    return this.#during(async () => {
      let image = source;
      // One that says something else of its containers is not the same, though its history is.
      if (!cached.isLast || !isSame(documentOf(stored).config, config)) {
        const { os, architecture, variant } = platform;
        const made = await restoreStep({ below, source: stored, cached }, content, {
          ...(document ?? { os, architecture, ...(variant === "" ? {} : { variant }) }),
          config,
        });
        await catalog.change((records) => withNames(records, [], made.descriptor), [made]);
        image = made.manifest.config.digest;
      }
      await steps.add({ image, parent: base, key: hashed(key) });
      return catalog.getById(image);
    });
  }

  hold(id: Digest): () => void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#held.get(id) ?? 1) - 1;
      if (left === 0) this.#held.delete(id);
      else this.#held.set(id, left);
    };
  }

  /** Whether somebody builds with it just now. */
  isHeld(id: Digest): boolean {
    return this.#held.has(id);
  }

  async prepare(base: Digest | undefined, id: string): Promise<Rootfs> {
    const { snapshots, catalog } = this.#parts;
    const image = base === undefined ? { id: EMPTY_LAYER, layers: [] } : catalog.getById(base);
    return snapshots.prepare(image, id);
  }

  async add(base: Digest | undefined, options: StepOptions): Promise<Image> {
    const { catalog, content, layers, steps } = this.#parts;
    return this.#during(async () => {
      const { files } = options;
      const takesUpper = files?.isSpare === true;
      if (takesUpper) await unmountAside(files.rootfs.merged);
      const from = {
        base: base === undefined ? undefined : catalog.getStored(base),
        upperDir: files?.rootfs.upperDir,
        takesUpper,
        platform: options.platform,
      };
      const stored = await commitImage(from, { content, layers }, { ...options, comment: "" });
      await catalog.change((records) => withNames(records, [], stored.descriptor), [stored]);
      const image = stored.manifest.config.digest;
      await steps.add({ image, parent: base, key: hashed(options.key) });
      return catalog.getById(image);
    });
  }

  parentOf(id: Digest): Digest | undefined {
    const { steps, catalog } = this.#parts;
    const parent = steps.parentOf(id);
    return parent !== undefined && catalog.ids.includes(parent) ? parent : undefined;
  }

  hasChildren(id: Digest): boolean {
    return this.#parts.steps.hasChildren(id);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function documentOf({ rawConfig }: StoredImage): JsonObject {
  return parseJsonObject(Buffer.from(rawConfig), "image configuration");
}

function hashed(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
