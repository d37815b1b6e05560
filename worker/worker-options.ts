import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { ManagerAddress } from "../proto/gen/dispatcher.ts";
import type { NodeDescription, NodeRole } from "../proto/gen/objects.ts";
import type { Containers } from "../runtime/container/types.ts";
import type { Images } from "../runtime/image/types.ts";
import type { DataPlane } from "./network/data-plane.ts";

/** What a worker needs to run. */
export interface WorkerOptions {
  readonly nodeId: string;
  /** The worker keeps its own files in `<dataRoot>/swarm/worker`. */
  readonly dataRoot: string;
  /** IP other nodes reach this one at; empty: the one managers see the session come from. */
  readonly addr: string;
  /** This node's certificate and the swarm's CA. Asked for each connection, so that rotation works. */
  readonly credentials: () => ChannelCredentials;
  /** Added to the channel's options: the server name expected in managers' certificates. */
  readonly channelOptions?: ChannelOptions;
  /** Where to look first; the list managers sent later is kept on disk and comes before it. */
  readonly managers: readonly ManagerAddress[];
  readonly description: () => NodeDescription;
  readonly containers: Containers;
  readonly images: TaskImages;
  readonly network: DataPlane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The role the swarm wants of this node: said at the start of each session, and when it changes. */
  readonly onRoleChanged?: (role: NodeRole) => void;
}

/** The images tasks are made of. */
export type TaskImages = Pick<Images, "get" | "pull">;
