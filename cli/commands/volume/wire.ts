/** As much of Docker's Volume as is shown. */
export interface WireVolume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly Scope: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

/** The path of a volume's requests. */
export function volumePath(name: string): string {
  return `/volumes/${encodeURIComponent(name)}`;
}
