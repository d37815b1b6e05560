import { createHash } from "node:crypto";
import type { BuildSteps } from "./build-steps.ts";
import { commitImage } from "./commit-image.ts";
import type { ImageCatalog } from "./image-catalog.ts";
import { withNames } from "./image-records.ts";
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

  async prepare(base: Digest | undefined, id: string): Promise<Rootfs> {
    const { snapshots, catalog } = this.#parts;
    const image = base === undefined ? { id: EMPTY_LAYER, layers: [] } : catalog.getById(base);
    return snapshots.prepare(image, id);
  }

  async add(base: Digest | undefined, options: StepOptions): Promise<Image> {
    const { catalog, content, layers, steps } = this.#parts;
    return this.#during(async () => {
      const from = {
        base: base === undefined ? undefined : catalog.getStored(base),
        upperDir: options.upperDir,
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

function hashed(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
