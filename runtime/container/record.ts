import type { Image, ImageConfig, Rootfs } from "../image/types.ts";
import type { ProcessRef } from "../linux/process.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerState,
  HealthStatus,
  ResolvedMount,
} from "./types.ts";

/** What a container is for good: written once, when it is made. */
export interface ContainerRecord {
  readonly id: ContainerId;
  readonly config: ContainerConfig;
  readonly imageId: Image["id"];
  /** Copied: the image may be removed by force while the container is there. */
  readonly imageConfig: ImageConfig;
  readonly rootfs: Rootfs;
  readonly mounts: readonly ResolvedMount[];
  /** Volumes made for this container alone, removed with it. */
  readonly anonymousVolumes: readonly string[];
  readonly createdAtMs: number;
}

/** What a container is now: written at each change that must survive us. */
export interface ContainerStatus {
  readonly state: ContainerState;
  /** Its processes are frozen; only while it runs. */
  readonly paused: boolean;
  /** Somebody has stopped it: it is not started again just because the daemon is. */
  readonly stoppedByUser: boolean;
  /** It has ended and its restart policy will start it. */
  readonly restarting: boolean;
  /** Starts by the restart policy in a row. */
  readonly restartCount: number;
  /** Its first process while it runs. */
  readonly process: ProcessRef | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly health: HealthStatus;
}
