import type { Change } from "../proto/gen/store.ts";
import type { ReplicatedLog } from "./log/replicated-log.ts";
import type { LogMember, OpenLog } from "./open-log.ts";
import type { Served } from "./rpc/server.ts";
import type { Proposer } from "./store/proposer.ts";
import type { Store } from "./store/store.ts";

/** What a manager is made with; its certificate must be a manager's. */
export interface ManagerOptions extends LogMember {
  /** host:port to listen at. */
  readonly listenAddr: string;
  /** What the log of a new swarm begins with. */
  readonly genesis?: readonly Change[];
  /** Which log keeps the swarm's state; the embedded one when absent. */
  readonly openLog?: OpenLog;
}

/** What the parts of a manager share. */
export interface ManagerCore {
  readonly options: ManagerOptions;
  readonly store: Store;
  readonly replicatedLog: ReplicatedLog;
  readonly proposer: Proposer;
  /** What the log serves to other managers. */
  readonly logServices: readonly Served[];
  /** host:port of the leader as far as is known here. */
  readonly leaderAddr: () => string | undefined;
}
