import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { ReplicatedLog, StateMachine } from "../log/replicated-log.ts";
import type { Proposer } from "../store/proposer.ts";
import type { View } from "../store/tables.ts";
import type { LogSource } from "./control.ts";
import type { PlannerView } from "./planner-view.ts";

/** What the leader's side of Control is made with. */
export interface LeaderOptions {
  readonly view: () => View;
  readonly proposer: Pick<Proposer, "propose">;
  readonly replicatedLog: Pick<
    ReplicatedLog,
    "readBarrier" | "leadership" | "members" | "removeMember" | "removedIds"
  >;
  readonly stateMachine: Pick<StateMachine, "snapshot">;
  readonly logs: LogSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes of randomness for secrets. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
}

/** What it works with. */
export interface LeaderParts extends LeaderOptions {
  readonly planner: PlannerView;
}

/**
 * The state with everything acknowledged before this call in it, for what is read.
 *
 * @throws {ClusterError} `Unavailable` when this manager does not lead.
 */
export async function freshView({ replicatedLog, view }: LeaderOptions): Promise<View> {
  await replicatedLog.readBarrier();
  return view();
}
