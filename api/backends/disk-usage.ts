/** What takes up this machine's disk beside images and containers. */
export interface DiskUsageBackend {
  /** Every volume with its size, which is counted now. */
  volumeUsage(): Promise<readonly VolumeUsage[]>;
}

export interface VolumeUsage {
  readonly name: string;
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
}
