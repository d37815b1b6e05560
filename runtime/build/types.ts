import type { ResourceLimits } from "../container/settings.ts";
import type { NetworkMode } from "../container/types.ts";
import type { Credentials, Digest, Platform, ProgressEvent } from "../image/types.ts";

/** What is asked of a build. */
export interface BuildRequest {
  /** A URL to fetch the context from; empty: it is sent. */
  readonly remote: string;
  /** Path of the Dockerfile in the context; empty: `Dockerfile`. */
  readonly dockerfile: string;
  /** Names the image gets. */
  readonly tags: readonly string[];
  /** A name without a value is meant, and not said. */
  readonly args: ReadonlyMap<string, string | undefined>;
  readonly labels: Readonly<Record<string, string>>;
  /** The stage to stop after; empty: the last. */
  readonly target: string;
  readonly noCache: boolean;
  /** Images that are here, whose history is a cache too. */
  readonly cacheFrom: readonly string[];
  /** Asks registries for newer images of FROM. */
  readonly pull: boolean;
  /** Containers of RUN go when their step is done. */
  readonly remove: boolean;
  /** And when it failed. */
  readonly forceRemove: boolean;
  /** Undefined: this machine's. */
  readonly platform: Platform | undefined;
  readonly container: BuildContainer;
  /** @param registry `docker.io`, `host:port`. */
  readonly credentialsOf: (registry: string) => Credentials | undefined;
}

/** What containers of RUN are like. */
export interface BuildContainer {
  readonly network: NetworkMode;
  readonly limits: ResourceLimits;
  /** 0: the default. */
  readonly shmSizeBytes: number;
  readonly ulimits: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  /** Lines for /etc/hosts. */
  readonly extraHosts: readonly string[];
  readonly cgroupParent: string;
}

/** What whoever builds is told. */
export type BuildOutput =
  | { readonly kind: "text"; readonly text: string; readonly isError: boolean }
  /** Of a stage that is done. */
  | { readonly kind: "image"; readonly id: Digest }
  | { readonly kind: "progress"; readonly event: ProgressEvent };

export interface BuildOptions {
  readonly signal: AbortSignal;
  /** Must not throw. What it returns is waited for where a lot may come. */
  readonly onOutput: (output: BuildOutput) => Promise<void> | undefined;
}

/** Builds images on this machine. */
export interface Builds {
  /**
   * Builds an image from a context, a tar archive.
   *
   * @throws {ClusterError} `InvalidArgument` (Dockerfile), `NotFound`, `Cancelled`; `Aborted` with `exitCode` among its details
   *   when a command failed. Docker's words.
   */
  build(
    context: AsyncIterable<Uint8Array>,
    request: BuildRequest,
    options: BuildOptions,
  ): Promise<Digest>;
}
