import { ClusterError } from "../core/errors.ts";
import { Allocator } from "./allocator/allocator.ts";
import { getPeer } from "./ca/authorization.ts";
import { Dispatcher } from "./dispatcher/dispatcher.ts";
import type { Leadership } from "./log/replicated-log.ts";
import { LogBroker } from "./logs/log-broker.ts";
import type { ManagerCore } from "./manager.ts";
import { MembershipLoop } from "./membership/loop.ts";
import { Orchestrator } from "./orchestrator/orchestrator.ts";
import { Reaper } from "./reaper/reaper.ts";
import { ControlLoop } from "./reconcile/loop.ts";
import { Scheduler } from "./scheduler/scheduler.ts";

/** What runs while this manager leads: planners, sessions with the workers, changes of roles. */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly logs: LogBroker;
  readonly #core: ManagerCore;
  readonly #planning: ControlLoop;
  #membership: MembershipLoop | undefined;
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
    this.#planning = new ControlLoop({
      store,
      proposer,
      // Each builds on what those before it have planned.
      planners: [new Orchestrator(random), new Allocator(), new Scheduler(), new Reaper()],
      clock,
      log: log.child({ component: "planning" }),
    });
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
    const { store, proposer } = this.#core;
    const { clock, log } = options;
    this.#planning.lead();
    this.dispatcher.lead();
    this.#membership = new MembershipLoop({
      store,
      proposer,
      replicatedLog,
      clock,
      log: log.child({ component: "membership" }),
    });
  }

  #resign(): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    const { options } = this.#core;
    options.log.info("this manager leads no more", { nodeId: options.credentials.identity.nodeId });
    this.#membership?.close();
    this.#membership = undefined;
    this.dispatcher.resign();
    this.#planning.resign();
  }
}
