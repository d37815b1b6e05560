import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { MachineContainers } from "../container/types.ts";
import { completePlatform, platformOf } from "../image/platform.ts";
import type {
  BuildImages,
  Digest,
  Image,
  Images,
  Platform,
  ProgressEvent,
  Rootfs,
} from "../image/types.ts";
import { BaseImages, findLocal } from "./base-images.ts";
import type { BuildFolder } from "./build-folder.ts";
import type { BuildOptions, BuildRequest } from "./types.ts";

/** What builds work with. */
export interface BuildMachine {
  readonly images: Images & { readonly steps: BuildImages };
  readonly containers: MachineContainers;
  readonly clock: Clock;
}

/** A stage that is done. */
export interface DoneStage {
  /** Empty: none. */
  readonly name: string;
  readonly image: Digest | undefined;
}

/** What the stages of one build share. */
export class BuildSession {
  readonly images: BuildMachine["images"];
  readonly containers: MachineContainers;
  readonly clock: Clock;
  readonly request: BuildRequest;
  readonly folder: BuildFolder;
  readonly signal: AbortSignal;
  readonly platform: Platform;
  readonly bases: BaseImages;
  readonly #onOutput: BuildOptions["onOutput"];
  readonly #done: DoneStage[] = [];
  readonly #releases: (() => void)[] = [];
  /** Those of `cacheFrom` that are here. */
  readonly cacheSources: readonly Image[];

  constructor(
    { images, containers, clock }: BuildMachine,
    request: BuildRequest,
    folder: BuildFolder,
    { signal, onOutput }: BuildOptions,
  ) {
    this.images = images;
    this.containers = containers;
    this.clock = clock;
    this.request = request;
    this.folder = folder;
    this.signal = signal;
    this.#onOutput = onOutput;
    const own = platformOf(process.arch);
    this.platform = completePlatform(request.platform ?? own, own);
    this.cacheSources = request.cacheFrom.flatMap((name) => findLocal(images, name) ?? []);
    this.bases = new BaseImages(images, request, { signal, onProgress: this.tell });
  }

  /** @returns what is to be waited for by whoever has a lot to say. */
  readonly say = (text: string, isError = false): Promise<void> | undefined =>
    this.#onOutput({ kind: "text", text, isError });

  readonly tell = (event: ProgressEvent): void => void this.#onOutput({ kind: "progress", event });

  /** Keeps an image until the build has ended, whoever prunes meanwhile. */
  hold(image: Digest): void {
    this.#releases.push(this.images.steps.hold(image));
  }

  /** Lets go of all that was held. */
  close(): void {
    for (const release of this.#releases) release();
  }

  /** A stage has come to its end. */
  finish(stage: DoneStage): void {
    this.#done.push(stage);
    if (stage.image !== undefined) void this.#onOutput({ kind: "image", id: stage.image });
  }

  findStage(name: string): DoneStage | undefined {
    return name === "" ? undefined : this.#done.find((stage) => stage.name === name.toLowerCase());
  }

  /** Mounts the files of an image, changes of its own above them, for as long as `work` takes. */
  async withRoot<T>(image: Digest | undefined, work: (root: Rootfs) => Promise<T>): Promise<T> {
    const id = await this.folder.claimRoot();
    try {
      const root = await this.images.steps.prepare(image, id);
      await this.images.mountRootfs(root);
      return await work(root);
    } finally {
      await this.images.removeRootfs(id);
      await this.folder.leaveRoot(id);
    }
  }

  /**
   * Where `--from` says that files are; empty: the context.
   *
   * @throws {ClusterError} InvalidArgument; as `BaseImages.get`. Docker's words.
   */
  async withSources<T>(from: string, work: (root: string) => Promise<T>): Promise<T> {
    if (from === "") return work(this.folder.context);
    const image = await this.#imageOf(from).catch((error: unknown) => {
      if (!(error instanceof ClusterError)) throw error;
      const message = `invalid from flag value ${from.slice(0, 300)}: ${errorMessage(error)}`;
      throw new ClusterError(error.code, message, { cause: error });
    });
    return this.withRoot(image, ({ merged }) => work(merged));
  }

  async #imageOf(from: string): Promise<Digest | undefined> {
    const named = this.findStage(from);
    if (named !== undefined) return named.image;
    if (!/^\d{1,4}$/.test(from)) return (await this.bases.get(from)).id;
    const index = Number(from);
    const stage = this.#done[index];
    if (stage !== undefined) return stage.image;
    const why =
      index === this.#done.length ? "refers to current build stage" : "index out of bounds";
    throw new ClusterError("InvalidArgument", why);
  }
}
