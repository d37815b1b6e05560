/** Files of this machine's containers, whether they run or not. Every call throws `NotFound` when there is no such container. */
export interface ContainerFileBackend {
  /** What it has changed of its image's files, in the order of paths. */
  containerChanges(id: string): Promise<readonly FileChange[]>;
  /** Packs its root file system, without what is mounted into it, for as long as `send` takes. */
  exportContainer(
    id: string,
    send: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void>;
  /** @throws `NotFound` with details `path`; `InvalidArgument`. */
  statContainerPath(id: string, path: string): Promise<PathStat>;
  /** Packs what is at a path, for as long as `send` takes. @throws as `statContainerPath`, before `send` is called. */
  packContainerPath(
    id: string,
    path: string,
    send: (stat: PathStat, chunks: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void>;
  /**
   * Unpacks an archive below a directory.
   *
   * @throws as `statContainerPath`; `PermissionDenied` (read-only); `DataLoss` (cut off); `ResourceExhausted`.
   */
  unpackToContainer(id: string, request: UnpackRequest): Promise<void>;
}

export interface FileChange {
  readonly kind: "modified" | "added" | "deleted";
  readonly path: string;
}

export interface PathStat {
  readonly name: string;
  readonly sizeBytes: number;
  /** As `st_mode`. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Of a symbolic link: the absolute path it comes to in the end. Empty otherwise. */
  readonly linkTarget: string;
}

export interface UnpackRequest {
  readonly path: string;
  readonly archive: AsyncIterator<Uint8Array>;
  /** Everything belongs to the container's user instead of whom the archive names. */
  readonly asUser: boolean;
  /** Refuses to put a file in the place of a directory, or a directory in that of a file. */
  readonly keepsKinds: boolean;
}
