/** A directory of this machine that outlives containers. */
export interface Volume {
  /** Matches [a-zA-Z0-9][a-zA-Z0-9_.-]+; 64 hexadecimal characters for anonymous ones. */
  readonly name: string;
  /** Where its files are on the host. */
  readonly path: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** This machine's volumes, all of the `local` driver. */
export interface Volumes {
  /** The one of this name, made if there is none. @throws `InvalidArgument` (name). */
  ensure(name: string, labels?: Readonly<Record<string, string>>): Promise<Volume>;
  list(): readonly Volume[];
  /** @throws `NotFound`. */
  get(name: string): Volume;
  /** @throws `NotFound`; `FailedPrecondition` when a container uses it. */
  remove(name: string): Promise<void>;
}
