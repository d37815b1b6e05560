/**
 * The images of this machine. A `ref` is a name as people type it, a whole id or an unambiguous beginning of one.
 *
 * Every method throws ClusterError: `NotFound`, `InvalidArgument`; and those that talk to a registry `Unauthenticated`,
 * `PermissionDenied`, `Unavailable`, `DataLoss`, `Cancelled`.
 */
export interface ImageBackend {
  listImages(): readonly ImageFacts[];
  getImage(ref: string): ImageFacts;
  tagImage(ref: string, name: string): Promise<void>;
  /** @throws {ClusterError} `Aborted` in Docker's words when something is in the way. */
  removeImage(
    ref: string,
    options: { readonly force: boolean; readonly keepParents: boolean },
  ): Promise<RemovedImage>;
  /** Removes the images that fit and that no container uses. */
  pruneImages(fits: (image: ImageFacts) => boolean): Promise<PrunedImages>;
  /** @param ref without tag and digest: all tags of the repository. */
  pullImage(ref: string, options: PullOptions): Promise<void>;
  /** @param ref without a tag: all tags of the repository that are here. */
  pushImage(ref: string, options: TransferOptions): Promise<void>;
  /**
   * Reads an archive of `docker save` or of OCI's layout.
   *
   * @throws {ClusterError} `InvalidArgument`, `DataLoss`; nothing of the archive stays then.
   */
  loadImages(
    archive: AsyncIterable<Uint8Array>,
    options: LoadOptions,
  ): Promise<readonly LoadedImage[]>;
  /** Packs images as `docker save` does. Throws before the first piece when there is one it does not have. */
  saveImages(refs: readonly string[]): AsyncIterable<Uint8Array>;
  /** Makes an image of a container; resolves with its id. @throws {ClusterError} `Aborted` when its own was removed. */
  commitImage(options: CommitOptions): Promise<string>;
  /** Fetches a file for an import and reads it with `work`. @throws {ClusterError} when there is none. */
  fetchArchive(
    url: string,
    signal: AbortSignal,
    work: (archive: FetchedArchive) => Promise<void>,
  ): Promise<void>;
  /** Makes an image of one layer from a tar archive; resolves with its id. */
  importImage(archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<string>;
}

/** A file on its way. */
export interface FetchedArchive {
  /** Made whole. */
  readonly url: string;
  /** 0: not known. */
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface LoadOptions {
  readonly platform: Platform | undefined;
  readonly onProgress: (event: ProgressEvent) => void;
}

export interface LoadedImage {
  readonly id: string;
  /** Empty: the archive gave it none. */
  readonly names: readonly string[];
}

export interface CommitOptions {
  readonly container: {
    readonly id: string;
    readonly name: string;
    readonly image: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Empty: no name. */
  readonly name: string;
  readonly author: string;
  readonly comment: string;
  /** What the container ran. */
  readonly createdBy: string;
  /** The `config` object of the image's configuration document. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ImportOptions {
  /** Empty: no name. */
  readonly name: string;
  readonly platform: Platform | undefined;
  readonly message: string;
  /** The `config` object of the image's configuration document. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

export interface ImageFacts {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** 0: the builder left it out. */
  readonly createdAtMs: number;
  /** Of the files of its layers. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Lowest first. */
  readonly layers: readonly LayerFacts[];
  /** How many were made from it. */
  readonly containers: number;
  readonly platform: Platform;
  /** What it was built from here; empty: nobody knows. */
  readonly parentId: string;
  /** Others were built from it. */
  readonly hasChildren: boolean;
  /** The configuration document as JSON, as the builder wrote it. */
  readonly rawConfig: string;
}

export interface LayerFacts {
  /** Of the unpacked layer. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** In Go's words; empty: any, or this machine's. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

export interface RemovedImage {
  readonly untagged: readonly string[];
  readonly deleted: readonly string[];
}

export interface PrunedImages extends RemovedImage {
  readonly reclaimedBytes: number;
}

export interface TransferOptions {
  /** The X-Registry-Auth header as it came; empty: nobody. */
  readonly registryAuth: string;
  readonly onProgress: (event: ProgressEvent) => void;
  readonly signal: AbortSignal;
}

export interface PullOptions extends TransferOptions {
  /** Undefined: this machine's. */
  readonly platform: Platform | undefined;
}

/** One line of progress. */
export interface ProgressEvent {
  /** Short layer id, or the tag; empty: about the whole. */
  readonly id: string;
  readonly status: string;
  readonly currentBytes: number;
  /** Zero: not known, no bar. */
  readonly totalBytes: number;
  /** What was pushed; comes last. */
  readonly pushed?: { readonly tag: string; readonly digest: string; readonly sizeBytes: number };
}
