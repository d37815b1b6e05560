import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { ReplicatedLog } from "../log/replicated-log.ts";
import type { Proposer } from "../store/proposer.ts";
import type { View } from "../store/tables.ts";
import type { LogSource } from "./control.ts";

/** What the leader's side of Control works with. */
export interface LeaderParts {
  readonly view: () => View;
  readonly proposer: Pick<Proposer, "propose">;
  readonly replicatedLog: Pick<ReplicatedLog, "readBarrier" | "leadership" | "members">;
  readonly logs: LogSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes of randomness for secrets. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
}

/**
 * The state with everything acknowledged before this call in it.
 *
 * @throws {ClusterError} `Unavailable` when this manager does not lead.
 */
export async function freshView({ replicatedLog, view }: LeaderParts): Promise<View> {
  await replicatedLog.readBarrier();
  return view();
}
