import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import { Allocator } from "./allocator/allocator.ts";
import { getPeer } from "./ca/authorization.ts";
import { SECRET_BYTES } from "./ca/join-token.ts";
import { RotationLoop } from "./ca/rotation/loop.ts";
import { Dispatcher } from "./dispatcher/dispatcher.ts";
import { LogBroker } from "./logs/log-broker.ts";
import type { ManagerCore } from "./manager-core.ts";
import { MembershipLoop } from "./membership/loop.ts";
import { Orchestrator } from "./orchestrator/orchestrator.ts";
import { Reaper } from "./reaper/reaper.ts";
import { ControlLoop } from "./reconcile/loop.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { TermOfOffice } from "./term-of-office.ts";

/** What a leader works with. */
export interface LeaderParts
  extends Pick<ManagerCore, "store" | "replicatedLog" | "proposer" | "leaderAddr"> {
  /** Of this manager. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** For secrets. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Whether the kernel of the host at an address answers. Never rejects. */
  readonly hostAnswers: (addr: string) => Promise<boolean>;
  readonly log: Log;
}

/** What runs while this manager leads: planners, sessions with the workers, changes of roles. */
export class Leader {
  readonly dispatcher: Dispatcher;
  readonly logs: LogBroker;
  readonly #parts: LeaderParts;
  readonly #planning: ControlLoop;
  #membership: MembershipLoop | undefined;
  #rotation: RotationLoop | undefined;
  #term: TermOfOffice | undefined;

  constructor(parts: LeaderParts) {
    const { nodeId, store, proposer, leaderAddr, hostAnswers, clock, random, log } = parts;
    this.#parts = parts;
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
    const { replicatedLog, clock, log } = this.#parts;
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
    const { nodeId, store, proposer, replicatedLog, randomBytes, clock, log } = this.#parts;
    log.info("this manager leads", { nodeId, term });
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
    const { nodeId, log } = this.#parts;
    log.info("this manager leads no more", { nodeId });
    this.#membership?.close();
    this.#membership = undefined;
    this.#rotation?.close();
    this.#rotation = undefined;
    this.dispatcher.resign();
    this.#planning.resign();
  }
}
