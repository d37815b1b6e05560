import type { EventSink } from "../events/types.ts";

/** What an image is and how it becomes a root file system: the runtime's own words, free of Docker's wire shapes. */

/** `sha256:` and 64 lower-case hexadecimal characters. */
export type Digest = string & { readonly __brand: "Digest" };

/** Names what a machine can run; words as in Go's GOOS and GOARCH. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7`, `v8`; empty: any. */
  readonly variant: string;
}

/** A blob by what it contains. Source: OCI image-spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What an image says about the containers made from it. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** `user[:group]`, names or numbers; empty: root. */
  readonly user: string;
  /** Empty: `/`. */
  readonly workdir: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** Paths inside the container. */
  readonly volumes: readonly string[];
  /** Empty: SIGTERM. */
  readonly stopSignal: string;
  readonly healthcheck: ImageHealthcheck | undefined;
}

/** Zero and empty mean: the default. Same shape as the container's HealthConfig. */
export interface ImageHealthcheck {
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

/** An image that is complete on this machine: every layer is unpacked. */
export interface Image {
  /** Digest of the configuration, as in Docker. */
  readonly id: Digest;
  /** Familiar names: `nginx:latest`. */
  readonly repoTags: readonly string[];
  /** Familiar names with the digest it was pulled or pushed by: `nginx@sha256:…`. */
  readonly repoDigests: readonly string[];
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** RFC 3339, as the builder wrote it; may be empty. */
  readonly created: string;
  /** Of the files of its unpacked layers. */
  readonly sizeBytes: number;
  /** Uncompressed digests, lowest layer first. */
  readonly layers: readonly Digest[];
  /** The bytes of the configuration as JSON, for whoever must show more than `config`. */
  readonly rawConfig: string;
}

/** Who asks a registry; what Docker's X-Registry-Auth header carries. Never logged. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth2 refresh token; replaces username and password. */
  readonly identityToken: string;
  /** A bearer token used as it is. */
  readonly registryToken: string;
}

/** One line of progress as Docker's clients print it. */
export interface ProgressEvent {
  /** Short layer id, or the tag; empty: about the whole. */
  readonly id: string;
  readonly status: string;
  readonly currentBytes: number;
  /** Zero: not known, no bar. */
  readonly totalBytes: number;
}

/** What every conversation with a registry may be given. */
export interface RegistryOptions {
  readonly credentials?: Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For pull and push. */
export interface TransferOptions extends RegistryOptions {
  /** Must not throw. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** For pull. */
export interface PullOptions extends TransferOptions {
  /** Default: this machine's, also where a part is empty. */
  readonly platform?: Platform | undefined;
}

/** What a registry says of a reference, without pulling it. */
export interface RemoteImage {
  readonly descriptor: Descriptor;
  /** Empty when the registry does not say. */
  readonly platforms: readonly Platform[];
}

/** For load. */
export interface LoadOptions {
  /** Which image of an index; default: this machine's. */
  readonly platform?: Platform | undefined;
  /** Must not throw. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** For import. */
export interface ImportOptions {
  /** The name it gets; empty: none. */
  readonly name: string;
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  readonly createdMs: number;
  /** Shown in its history. */
  readonly message: string;
  /** The `config` object of the image's configuration document: Cmd, Env and the like. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal | undefined;
}

/** For commit. */
export interface CommitOptions {
  /** The name it gets; empty: none. */
  readonly name: string;
  readonly createdMs: number;
  readonly author: string;
  readonly comment: string;
  /** What the container ran, for the history. */
  readonly createdBy: string;
  /** The `config` object of the image's configuration document. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** For one step of a build. */
export interface StepOptions {
  readonly createdMs: number;
  readonly author: string;
  readonly createdBy: string;
  /** The `config` object of the image's configuration document. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What it changes. Undefined: nothing but the configuration. */
  readonly files: UpperFiles | undefined;
  /** Of an image of nothing. */
  readonly platform: Platform;
  /** The same for the same step, whenever it is done. */
  readonly key: string;
}

/** What was written over an image, by somebody who is done with it. */
export interface UpperFiles {
  readonly rootfs: Rootfs;
  /** Nobody needs them where they are: they are unmounted and taken away, instead of copied. */
  readonly isSpare: boolean;
}

/** What an index knows of a repository. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

/** One image of an archive. */
export interface LoadedImage {
  readonly image: Image;
  /** Familiar names the archive gave it; empty: none. */
  readonly names: readonly string[];
}

/** What a removal did, as Docker reports it. */
export interface RemovedImage {
  /** Familiar names that no longer exist. */
  readonly untagged: readonly string[];
  /** Ids of images and layers that no longer exist. */
  readonly deleted: readonly Digest[];
  /** Of the files of those layers. */
  readonly reclaimedBytes: number;
}

/** A container made from an image. */
export interface ImageUser {
  readonly containerId: string;
  readonly running: boolean;
}

/** The directories of one container's root file system. */
export interface Rootfs {
  /** Uppermost first, as overlayfs wants them. Absolute, short. */
  readonly lowerDirs: readonly string[];
  readonly upperDir: string;
  readonly workDir: string;
  /** Where it is to be mounted; exists. */
  readonly merged: string;
}

/** How the store treats registries. */
export interface ImageStoreOptions {
  /** `host[:port]` or CIDR that may be spoken to without verified TLS. Loopback always may. */
  readonly insecureRegistries?: readonly string[];
  /** Base URLs tried before docker.io. */
  readonly registryMirrors?: readonly string[];
  /** Told of pulls, pushes, tags and removals. */
  readonly events?: EventSink;
}

/**
 * This machine's images. State on disk is the truth: it survives kill -9, and what was half done is gone at the next open.
 *
 * Made by `ImageStore.open(dataRoot, options)` in image-store.ts. Names may be familiar (`nginx`), tagged, by digest,
 * or the image's id, whole or an unambiguous prefix.
 */
export interface Images {
  /** @throws `NotFound`, `Unauthenticated`, `Unavailable` (registry), `DataLoss` (digest), `InvalidArgument`, `Cancelled`. */
  pull(reference: string, options?: PullOptions): Promise<Image>;
  /** Reads a `docker save` or OCI archive. @throws `InvalidArgument`, `DataLoss`. */
  load(archive: AsyncIterable<Uint8Array>, options?: LoadOptions): Promise<readonly LoadedImage[]>;
  /**
   * Packs images as `docker save` does, which is an OCI layout too. A repository without tag stands for all its tags.
   *
   * @throws `NotFound` before the first piece; `DataLoss` in the middle.
   */
  save(references: readonly string[]): AsyncIterable<Uint8Array>;
  /**
   * Makes an image of a container's image and what the container has changed. Who writes meanwhile is not waited for.
   *
   * @throws `NotFound`; `FailedPrecondition` when its image was removed.
   */
  commit(containerId: string, options: CommitOptions): Promise<Image>;
  /** Makes an image of one layer from a tar archive. @throws `InvalidArgument`, `DataLoss`. */
  import(archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<Image>;
  /** The pushed manifest. @throws as `pull`. */
  push(reference: string, options?: TransferOptions): Promise<Descriptor>;
  /** The tags a registry has of a repository. @throws as `pull`. */
  listTags(repository: string, options?: RegistryOptions): Promise<readonly string[]>;
  tag(source: string, target: string): Promise<void>;
  list(): readonly Image[];
  /** @throws `NotFound`, `InvalidArgument` when the prefix fits several. */
  get(nameOrId: string): Image;
  /**
   * Removes a name; with the last one the image itself, and the steps of its build that are of no use to others then.
   *
   * @throws `NotFound`; `FailedPrecondition` when a container uses it, or an id with several names, and not `force`.
   */
  remove(
    nameOrId: string,
    options?: { readonly force?: boolean; readonly keepParents?: boolean },
  ): Promise<RemovedImage>;
  /** Removes what no container uses and `fits`, with all its names. @throws `Aborted` while another does. */
  prune(fits: (image: Image) => boolean): Promise<RemovedImage>;
  /** What builds make images by. */
  readonly steps: BuildImages;
  /** Containers made from the image. */
  usersOf(imageId: Digest): readonly ImageUser[];
  /** Bytes of the files of an unpacked layer. */
  layerBytes(diffId: Digest): number;
  /**
   * Finds out whether a registry lets somebody in.
   *
   * @param registry `host[:port]`; `docker.io` for Docker Hub.
   * @returns a token to use instead of the password; empty: there is none. @throws `Unauthenticated`, `Unavailable`.
   */
  login(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<string>;
  /** Asks an index for repositories. @param term with a registry before it, else Docker Hub's. @throws `Unavailable`. */
  search(term: string, limit: number, signal?: AbortSignal): Promise<readonly SearchResult[]>;
  /** Asks the registry. @throws as `pull`. */
  resolveDigest(reference: string, options?: RegistryOptions): Promise<RemoteImage>;

  /** Makes the directories for a container, or finds those made before; nothing is mounted. @throws `NotFound`. */
  prepareRootfs(imageId: Digest, containerId: string): Promise<Rootfs>;
  /** Mounts it at `merged`; nothing to do when it is mounted already. */
  mountRootfs(rootfs: Rootfs): Promise<void>;
  /** Takes it away from `merged`; what was written may reach the disk later. Nothing to do when nothing is mounted. */
  unmountRootfs(rootfs: Pick<Rootfs, "merged">): Promise<void>;
  /** Unmounts, when mounted, and removes everything of it. No error when there is none. */
  removeRootfs(containerId: string): Promise<void>;
}

/** Images step by step: each is one over the one before it, without a name. `undefined` is nothing at all. */
export interface BuildImages {
  /** The newest image that a step of this key made of `base`; undefined: none is here. */
  find(base: Digest | undefined, key: string): Image | undefined;
  /** @throws `NotFound` (base), `ResourceExhausted`. */
  add(base: Digest | undefined, options: StepOptions): Promise<Image>;
  /**
   * The same from the history of another image that is here, wherever it was built; undefined: it has no such step.
   *
   * @throws `NotFound`.
   */
  findIn(
    source: Digest,
    base: Digest | undefined,
    step: Pick<StepOptions, "createdBy" | "config" | "key" | "platform">,
  ): Promise<Image | undefined>;
  /** Keeps an image from a prune until the returned function is called. */
  hold(id: Digest): () => void;
  /** As `prepareRootfs`. @throws `NotFound`. */
  prepare(base: Digest | undefined, id: string): Promise<Rootfs>;
  /** What an image was built from here; undefined: nobody knows. */
  parentOf(id: Digest): Digest | undefined;
  /** Whether others were built from it. */
  hasChildren(id: Digest): boolean;
}
