import { ClusterError } from "../core/errors.ts";
import { getPeer } from "./ca/authorization.ts";
import { Dispatcher } from "./dispatcher/dispatcher.ts";
import type { Leadership } from "./log/replicated-log.ts";
import { LogBroker } from "./logs/log-broker.ts";
import type { ManagerCore } from "./manager.ts";

/** Something that works only on the leader. */
interface LeaderPart {
  lead(): void;
  resign(): void;
}

/** What runs while this manager leads: planners, sessions with the workers, changes of roles. */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly logs: LogBroker;
  readonly #core: ManagerCore;
  readonly #parts: readonly LeaderPart[];
  #isLeading = false;
  #end: () => void = () => undefined;

  constructor(core: ManagerCore) {
    const { options, store, proposer, leaderAddr } = core;
    const { clock, random, log, credentials } = options;
    const { nodeId } = credentials.identity;
    this.#core = core;
    this.logs = new LogBroker({ store, clock, random });
    this.dispatcher = new Dispatcher({
      nodeId,
      store,
      proposer,
      clock,
      random,
      log: log.child({ component: "dispatcher" }),
      logs: this.logs,
      peerOf: getPeer,
      leaderAddr,
    });
    this.#parts = [this.dispatcher];
  }

  /** Starts and stops with this manager's leadership from now on. */
  follow(): void {
    const { replicatedLog } = this.#core;
    this.#end = replicatedLog.onLeadership((leadership) => void this.#follow(leadership));
    void this.#follow(replicatedLog.leadership());
  }

  close(): void {
    this.#end();
    this.#resign();
  }

  /** Whoever leads plans from the newest state: it waits until all that is committed is applied here. */
  async #follow({ isLeader, term }: Leadership): Promise<void> {
    if (!isLeader) {
      this.#resign();
      return;
    }
    if (this.#isLeading) return;
    const { replicatedLog, options } = this.#core;
    try {
      await replicatedLog.readBarrier();
    } catch (error) {
      if (error instanceof ClusterError && error.code === "Unavailable") return;
      throw error;
    }
    const now = replicatedLog.leadership();
    if (this.#isLeading || !now.isLeader || now.term !== term) return;
    this.#isLeading = true;
    options.log.info("this manager leads", { nodeId: options.credentials.identity.nodeId, term });
    for (const part of this.#parts) part.lead();
  }

  #resign(): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    const { options } = this.#core;
    options.log.info("this manager leads no more", { nodeId: options.credentials.identity.nodeId });
    for (const part of this.#parts) part.resign();
  }
}
