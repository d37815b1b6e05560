/** This machine's volumes, all of the `local` driver. */
export interface VolumeBackend {
  listVolumes(): readonly VolumeFacts[];
  /** @throws `NotFound` with Docker's words. */
  getVolume(name: string): VolumeFacts;
  /** The one of this name, as it is, made if there is none. @throws `InvalidArgument` with Docker's words. */
  createVolume(request: VolumeRequest): Promise<VolumeFacts>;
  /** @throws `NotFound`; `Aborted` when containers have it. Docker's words. */
  removeVolume(name: string): Promise<void>;
  /** Removes those that fit and that no container has. */
  pruneVolumes(
    fits: (volume: VolumeFacts) => boolean,
  ): Promise<{ readonly names: readonly string[]; readonly reclaimedBytes: number }>;
}

export interface VolumeFacts {
  readonly name: string;
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** How many containers have it, running or not. */
  readonly users: number;
}

export interface VolumeRequest {
  /** Empty: one that nobody has, and the volume is anonymous. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}
