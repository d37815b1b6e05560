import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { Change } from "../proto/gen/store.ts";
import type { NodeCredentials } from "./ca/credentials.ts";
import type { ReplicatedLog } from "./log/replicated-log.ts";
import type { GrpcTransport } from "./log/transport/grpc-transport.ts";
import type { Proposer } from "./store/proposer.ts";
import type { Store } from "./store/store.ts";

/** What a manager is made with. */
export interface ManagerOptions {
  /** This node's certificate; it must be a manager's. */
  readonly credentials: NodeCredentials;
  /** Of the manager alone; made if absent. */
  readonly dir: string;
  readonly raftId: number;
  /** host:port to listen at, and where others reach it. */
  readonly listenAddr: string;
  readonly advertiseAddr: string;
  /** See RaftLogOptions.start. */
  readonly start: "bootstrap" | "join" | "restart";
  /** What the log of a new swarm begins with. */
  readonly genesis?: readonly Change[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The log can no longer be trusted: the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** What the parts of a manager share. */
export interface ManagerCore {
  readonly options: ManagerOptions;
  readonly store: Store;
  readonly replicatedLog: ReplicatedLog;
  readonly proposer: Proposer;
  readonly transport: GrpcTransport;
  /** host:port of the leader as far as is known here. */
  readonly leaderAddr: () => string | undefined;
}
