import type { VolumeFacts } from "./volumes.ts";

/** What takes up this machine's disk beside images and containers. */
export interface DiskUsageBackend {
  /** Every volume that is a directory of its own, with its size, which is counted now. */
  volumeUsage(): Promise<readonly VolumeUsage[]>;
}

export interface VolumeUsage extends VolumeFacts {
  readonly sizeBytes: number;
}
