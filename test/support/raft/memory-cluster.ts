import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../core/log.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { systemRandom } from "../../../core/system-random.ts";
import { openRaftLog, type RaftLogOptions } from "../../../manager/log/raft-log.ts";
import type { Member, ReplicatedLog, StateMachine } from "../../../manager/log/replicated-log.ts";
import { MemoryNetwork } from "../../../manager/log/transport/memory-network.ts";
import { eventually } from "../eventually.ts";

/** Small, so that a test of several members costs little disk. */
const SEGMENT_BYTES = 256 * 1024;

/** A group of raft logs in this process: real folders, a network in memory. */
export class MemoryCluster {
  readonly #network = new MemoryNetwork(systemClock);
  readonly #root: string;
  readonly #logs: ReplicatedLog[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(): Promise<MemoryCluster> {
    return new MemoryCluster(await mkdtemp(join(tmpdir(), "muster-raft-")));
  }

  /** Opens the log of one member, the first one of a new group if it is number 1. */
  async open(
    raftId: number,
    stateMachine: StateMachine,
    options: Partial<RaftLogOptions> = {},
  ): Promise<ReplicatedLog> {
    const log = await openRaftLog({
      dir: join(this.#root, String(raftId)),
      ...memberOf(raftId),
      start: raftId === 1 ? "bootstrap" : "join",
      stateMachine,
      transport: this.#network.transport(raftId),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      onFatal: (error) => {
        throw error;
      },
      segmentBytes: SEGMENT_BYTES,
      ...options,
    });
    this.#logs.push(log);
    return log;
  }

  async close(): Promise<void> {
    for (const log of this.#logs) await log.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** What the member of this id is called and where it would be. */
export function memberOf(raftId: number): Member {
  return { raftId, nodeId: `node-${raftId}`, addr: `127.0.0.1:${4000 + raftId}` };
}

/** Waits until the log leads. */
export function untilLeads(log: ReplicatedLog): Promise<void> {
  return eventually("the member leads", () => log.leadership().isLeader);
}
