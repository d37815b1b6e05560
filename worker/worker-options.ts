import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { ManagerAddress } from "../proto/gen/dispatcher.ts";
import type { NodeDescription, NodeRole, NodeTls } from "../proto/gen/objects.ts";
import type { Containers } from "../runtime/container/types.ts";
import type { Images } from "../runtime/image/types.ts";
import type { DataPlane } from "./network/data-plane.ts";
import type { Dial } from "./session/wire.ts";
import type { StateDisk } from "./state/state-disk.ts";

/** What a worker needs to run. */
export interface WorkerOptions {
  readonly nodeId: string;
  /** The worker keeps its own files in `<dataRoot>/swarm/worker`. */
  readonly dataRoot: string;
  /** Where those files are; the machine's own disk unless the simulation has another. */
  readonly stateDisk?: StateDisk;
  /** IP other nodes reach this one at; empty: the one managers see the session come from. */
  readonly addr: string;
  /** How managers are turned to: `grpcDial`, with this node's certificate. */
  readonly dial: Dial;
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
  /** What this node's certificate is; the managers are told, so that they know who has moved to another CA. */
  readonly tls?: () => NodeTls;
  /** The swarm wants this node to renew its certificate now. */
  readonly onCertificateDue?: () => void;
}

/** The images tasks are made of. */
export type TaskImages = Pick<Images, "get" | "pull">;
