import { ClusterError } from "../../core/errors.ts";
import type { BuildSteps } from "./build-steps.ts";
import type { FoundImage } from "./find-image.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { ImageCatalog } from "./image-catalog.ts";
import type { ImageEvents } from "./image-events.ts";
import { familiarReference, parseReference } from "./reference.ts";
import { applyRemoval, planRemoval } from "./removal.ts";
import type { Snapshots } from "./snapshots.ts";
import type { StepImages } from "./step-images.ts";
import type { LayerStore } from "./store/layer-store.ts";
import type { Digest, Image, ImageUser, RemovedImage } from "./types.ts";

/** What a remover works with: the parts of the store it removes from. */
export interface RemoverParts {
  readonly catalog: ImageCatalog;
  readonly layers: LayerStore;
  readonly snapshots: Snapshots;
  readonly events: ImageEvents;
  readonly built: BuildSteps;
  readonly steps: StepImages;
  readonly housekeeping: Housekeeping;
  /** @throws {ClusterError} NotFound. */
  readonly find: (nameOrId: string) => FoundImage;
  /** Of all images and containers there are. */
  readonly neededLayers: () => ReadonlySet<Digest>;
}

/** Takes names and images away, one by one or all that fit; removal.ts decides what may go. */
export class ImageRemover {
  readonly #parts: RemoverParts;
  #pruning = false;
  #isRunning: (containerId: string) => boolean = () => false;

  constructor(parts: RemoverParts) {
    this.#parts = parts;
  }

  /** Who is asked before an image is removed: whether a container runs. */
  protectWith(isRunning: (containerId: string) => boolean): void {
    this.#isRunning = isRunning;
  }

  /** Containers that were made from it. */
  usersOf(imageId: Digest): readonly ImageUser[] {
    const containers = this.#parts.snapshots.usersOf(imageId);
    return containers.map((containerId) => ({
      containerId,
      running: this.#isRunning(containerId),
    }));
  }

  /** A name or all of an image; what goes with it is swept away at once. @throws {ClusterError} as `planRemoval`; NotFound. */
  async remove(
    nameOrId: string,
    options: { readonly force?: boolean; readonly keepParents?: boolean } = {},
  ): Promise<RemovedImage> {
    return this.#parts.housekeeping.during(() => this.#remove(nameOrId, options));
  }

  async #remove(
    nameOrId: string,
    options: { readonly force?: boolean; readonly keepParents?: boolean },
  ): Promise<RemovedImage> {
    const { catalog, layers, events, built } = this.#parts;
    const { id, name } = this.#parts.find(nameOrId);
    const image = catalog.getById(id);
    const plan = planRemoval({
      imageId: id,
      typed: nameOrId,
      askedName: name,
      names: catalog.namesOf(id),
      users: this.usersOf(id),
      hasChildren: built.hasChildren(id),
      force: options.force ?? false,
    });
    const manifests = catalog.manifestsOf(id);
    await catalog.change((records) => applyRemoval(records, plan, manifests));
    // Names by digest that go with a tag are no news of their own, as in Docker.
    const tags = plan.untag.filter((text) => !text.includes("@"));
    for (const _ of tags.length > 0 ? tags : plan.untag) events.happened("untag", id, image);
    const untagged = plan.untag.map(parseReference).map(familiarReference);
    if (!plan.deleteImage) {
      await this.#parts.housekeeping.sweepSoon();
      return { untagged, deleted: [], reclaimedBytes: 0 };
    }
    const needed = this.#parts.neededLayers();
    const gone = [...new Set(image.layers)].filter((layer) => !needed.has(layer));
    const reclaimedBytes = gone.reduce((sum, layer) => sum + layers.sizeOf(layer), 0);
    const parent = this.#parts.steps.parentOf(id);
    await built.forget(id);
    await this.#parts.housekeeping.sweepSoon();
    events.happened("delete", id);
    const removed = { untagged, deleted: [id, ...gone], reclaimedBytes };
    if (options.keepParents === true || parent === undefined || !this.#isSpare(parent))
      return removed;
    const more = await this.#remove(parent, {});
    return {
      untagged,
      deleted: [...removed.deleted, ...more.deleted],
      reclaimedBytes: reclaimedBytes + more.reclaimedBytes,
    };
  }

  /** Of no use but to those built from it, and there are none. */
  #isSpare(id: Digest): boolean {
    const { catalog, built } = this.#parts;
    const isNameless = catalog.namesOf(id).length === 0;
    const isUsed = this.usersOf(id).length > 0 || this.#parts.steps.isHeld(id);
    return isNameless && !built.hasChildren(id) && !isUsed;
  }

  /** @throws {ClusterError} Aborted while another one is at it. */
  async prune(fits: (image: Image) => boolean): Promise<RemovedImage> {
    const { catalog, events } = this.#parts;
    if (this.#pruning) throw new ClusterError("Aborted", "a prune operation is already running");
    this.#pruning = true;
    try {
      // One sweep at the end: each walks all that is on disk.
      const removed = await this.#parts.housekeeping.during(() =>
        this.#removeAll(catalog.images.filter(fits)),
      );
      events.pruned(removed.reclaimedBytes);
      return removed;
    } finally {
      this.#pruning = false;
    }
  }

  async #removeAll(images: readonly Image[]): Promise<RemovedImage> {
    const untagged: string[] = [];
    const deleted: Digest[] = [];
    let reclaimedBytes = 0;
    const { catalog, built } = this.#parts;
    for (const { id } of images) {
      // A step goes with the last that was built from it; it may have gone already.
      const isStep = built.hasChildren(id) && catalog.namesOf(id).length === 0;
      if (
        !catalog.ids.includes(id) ||
        isStep ||
        this.usersOf(id).length > 0 ||
        this.#parts.steps.isHeld(id)
      )
        continue;
      const removed = await this.#remove(id, { force: true });
      untagged.push(...removed.untagged);
      deleted.push(...removed.deleted);
      reclaimedBytes += removed.reclaimedBytes;
    }
    return { untagged, deleted, reclaimedBytes };
  }
}
