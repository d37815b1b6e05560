/** A directory of this machine that outlives containers. */
export interface Volume {
  /** Matches [a-zA-Z0-9][a-zA-Z0-9_.-]+; 64 hexadecimal characters for anonymous ones. */
  readonly name: string;
  /** Where its files are on the host. */
  readonly path: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What is mounted there while a container uses it: `type`, `device`, `o`. Empty: a directory, nothing mounted. */
  readonly options: VolumeOptions;
}

export type VolumeOptions = Readonly<Record<string, string>>;

/** What a volume is to be. */
export interface VolumeRequest {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly options?: VolumeOptions | undefined;
}

/** Marks volumes that live and die with their container. Docker's label. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** This machine's volumes, all of the `local` driver. */
export interface Volumes {
  /** The one of this name, as it is, made if there is none. @throws `InvalidArgument` (name, options). */
  create(request: VolumeRequest): Promise<Volume>;
  list(): readonly Volume[];
  /** @throws `NotFound`. */
  get(name: string): Volume;
  /** Ids of the containers that have it, whether they run or not. */
  usersOf(name: string): readonly string[];
  /** @throws `NotFound`; `FailedPrecondition` when a container has it, with details `users`. */
  remove(name: string): Promise<void>;
  /** Removes those that fit and that no container has. */
  prune(fits: (volume: Volume) => boolean): Promise<PrunedVolumes>;
}

export interface PrunedVolumes {
  readonly names: readonly string[];
  readonly reclaimedBytes: number;
}
