import type { ResourceLimits } from "./container-settings.ts";
import type { Platform, ProgressEvent } from "./images.ts";

/** Builds images on this machine. */
export interface BuildBackend {
  /**
   * Builds an image from a context, a tar archive; resolves with its id. What was under way ends when `signal` aborts, and
   * leaves nothing behind.
   *
   * @throws {ClusterError} `InvalidArgument`, `NotFound`, `Cancelled`; `Aborted` with `exitCode` among its details when a
   *   command failed.
   */
  buildImage(
    context: AsyncIterable<Uint8Array>,
    settings: BuildSettings,
    options: { readonly signal: AbortSignal; readonly onOutput: OnBuildOutput },
  ): Promise<string>;
}

/** Told of output; what it returns is waited for where a lot may come, so that a slow reader holds the work back. */
export type OnBuildOutput = (output: BuildOutput) => Promise<void> | undefined;

/** What is asked of a build. */
export interface BuildSettings {
  /** A URL to fetch the context from: an archive, a Dockerfile, a git repository; empty: it is sent. */
  readonly remote: string;
  /** Path of the Dockerfile in the context; empty: `Dockerfile`. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  /** A name without a value is meant, and not said. */
  readonly args: ReadonlyMap<string, string | undefined>;
  readonly labels: Readonly<Record<string, string>>;
  /** The stage to stop after; empty: the last. */
  readonly target: string;
  readonly noCache: boolean;
  /** Images that are here, whose history is a cache too; others are passed over. */
  readonly cacheFrom: readonly string[];
  /** Asks registries for newer images of FROM. */
  readonly pull: boolean;
  /** Containers of RUN go when their step is done. */
  readonly remove: boolean;
  /** And when it failed. */
  readonly forceRemove: boolean;
  readonly platform: Platform | undefined;
  /** Of containers of RUN: `default`, `host`, `none`, a network, `container:<id>`. */
  readonly networkMode: string;
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
  /** Logins by registry, each as an X-Registry-Auth header. */
  readonly registryAuths: ReadonlyMap<string, string>;
}

/** What whoever builds is told. */
export type BuildOutput =
  | { readonly kind: "text"; readonly text: string; readonly isError: boolean }
  /** Of a stage that is done. */
  | { readonly kind: "image"; readonly id: string }
  | { readonly kind: "progress"; readonly event: ProgressEvent };
