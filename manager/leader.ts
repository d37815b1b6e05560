import { randomBytes } from "node:crypto";
import { Allocator } from "./allocator/allocator.ts";
import { getPeer } from "./ca/authorization.ts";
import { SECRET_BYTES } from "./ca/join-token.ts";
import { RotationLoop } from "./ca/rotation/loop.ts";
import { Dispatcher } from "./dispatcher/dispatcher.ts";
import { hostAnswers } from "./dispatcher/host-probe.ts";
import { LogBroker } from "./logs/log-broker.ts";
import type { ManagerCore } from "./manager-core.ts";
import { MembershipLoop } from "./membership/loop.ts";
import { Orchestrator } from "./orchestrator/orchestrator.ts";
import { Reaper } from "./reaper/reaper.ts";
import { ControlLoop } from "./reconcile/loop.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { TermOfOffice } from "./term-of-office.ts";

/** What runs while this manager leads: planners, sessions with the workers, changes of roles. */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly logs: LogBroker;
  readonly #core: ManagerCore;
  readonly #planning: ControlLoop;
  #membership: MembershipLoop | undefined;
  #rotation: RotationLoop | undefined;
  #term: TermOfOffice | undefined;

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
      hostAnswers,
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
    const { replicatedLog, options } = this.#core;
    const { clock, log } = options;
    this.#term = new TermOfOffice({
      replicatedLog,
      onBegin: (term) => this.#lead(term),
      onEnd: () => this.#resign(),
      clock,
      log,
    });
  }

  close(): void {
    this.#term?.close();
  }

  #lead(term: number): void {
    const { store, proposer, replicatedLog, options } = this.#core;
    const { clock, log, credentials } = options;
    log.info("this manager leads", { nodeId: credentials.identity.nodeId, term });
    this.#planning.lead();
    this.dispatcher.lead();
    this.#membership = new MembershipLoop({
      store,
      proposer,
      replicatedLog,
      clock,
      log: log.child({ component: "membership" }),
    });
    this.#rotation = new RotationLoop({
      store,
      proposer,
      tell: (nodeId) => this.dispatcher.tell(nodeId, { $case: "certificateDue", value: {} }),
      isInSession: (nodeId) => this.dispatcher.isInSession(nodeId),
      newSecret: () => randomBytes(SECRET_BYTES),
      clock,
      log: log.child({ component: "ca" }),
    });
  }

  #resign(): void {
    const { log, credentials } = this.#core.options;
    log.info("this manager leads no more", { nodeId: credentials.identity.nodeId });
    this.#membership?.close();
    this.#membership = undefined;
    this.#rotation?.close();
    this.#rotation = undefined;
    this.dispatcher.resign();
    this.#planning.resign();
  }
}
