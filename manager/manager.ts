import { randomBytes } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { ClusterError } from "../core/errors.ts";
import type { IssuedCertificate } from "../proto/gen/ca.ts";
import { issueForSelf } from "./ca/issue.ts";
import type { Control } from "./control/control.ts";
import { controlGateway } from "./control/gateway.ts";
import { LeaderConnection } from "./control/leader-connection.ts";
import { leaderControl } from "./control/leader-control.ts";
import { hostAnswers } from "./dispatcher/host-probe.ts";
import { Leader } from "./leader.ts";
import type { ReplicatedLog } from "./log/replicated-log.ts";
import type { ManagerCore, ManagerOptions } from "./manager-core.ts";
import { openRaft } from "./open-log.ts";
import { listen, type RpcServer } from "./rpc/server.ts";
import { security, services } from "./services.ts";
import { Proposer } from "./store/proposer.ts";
import { Store } from "./store/store.ts";

/** How long the first manager of a new swarm may take to lead it. */
const GENESIS_TIMEOUT_MS = 10_000;

/**
 * This node's part in keeping and steering the swarm: its member of the log, the services other nodes call, and, while
 * it leads, all that plans.
 */
export class Manager {
  /** What users ask, wherever the leader is. */
  readonly control: Control;
  readonly #core: ManagerCore;
  readonly #leader: Leader;
  readonly #local: Control;
  readonly #connection: LeaderConnection;
  #server: RpcServer | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens the log and the port. A new swarm is there when this resolves; a manager that joins still has to be let in.
   *
   * @throws {ClusterError} `FailedPrecondition` when the address is taken, `DataLoss` when what is on disk is damaged.
   */
  static async open(options: ManagerOptions): Promise<Manager> {
    const manager = new Manager(await openCore(options));
    try {
      await manager.#start();
      return manager;
    } catch (error) {
      await manager.close();
      throw error;
    }
  }

  private constructor(core: ManagerCore) {
    const { options, replicatedLog, store, proposer } = core;
    const { credentials, clock, random, log } = options;
    this.#core = core;
    const { nodeId } = credentials.identity;
    this.#leader = new Leader({ ...core, nodeId, clock, random, randomBytes, hostAnswers, log });
    this.#connection = new LeaderConnection(credentials);
    this.#local = leaderControl({
      view: () => store.view(),
      stateMachine: store,
      proposer,
      replicatedLog,
      logs: this.#leader.logs,
      clock,
      random,
      randomBytes,
      log: log.child({ component: "control" }),
    });
    const connect = (leader: { nodeId: string; addr: string }) => this.#connection.connect(leader);
    this.control = controlGateway({ local: this.#local, replicatedLog, connect, clock });
  }

  get store(): Store {
    return this.#core.store;
  }

  get replicatedLog(): ReplicatedLog {
    return this.#core.replicatedLog;
  }

  /**
   * Signs this manager's own next certificate, when nobody would speak to it because its certificate has expired.
   *
   * @throws {ClusterError} `FailedPrecondition` when its log does not know it as a manager.
   */
  async issueOwnCertificate(csr: Uint8Array): Promise<IssuedCertificate> {
    const { store, options } = this.#core;
    const { nodeId } = options.credentials.identity;
    return issueForSelf(store.view(), { csr, nodeId }, options.clock.nowMs());
  }

  /** Stops serving and leaves the log as it is on disk. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { options, replicatedLog, store, proposer } = this.#core;
    const { listenAddr, genesis } = options;
    this.#server = await listen(
      listenAddr,
      services(this.#core, this.#leader, this.#local),
      security(this.#core),
    );
    if (genesis !== undefined) {
      await untilLeading(replicatedLog, options.clock);
      if (store.view().cluster === undefined) await proposer.propose(genesis);
    }
    this.#leader.follow();
  }

  async #close(): Promise<void> {
    this.#leader.close();
    this.#connection.close();
    this.#server?.close();
    await this.#core.replicatedLog.close();
  }
}

async function openCore(options: ManagerOptions): Promise<ManagerCore> {
  const store = new Store();
  const openLog = options.openLog ?? openRaft;
  const { replicatedLog, services: logServices } = await openLog(
    { ...options, generation: () => store.view().cluster?.generation ?? 0 },
    store,
  );
  const leaderAddr = () => {
    const { leaderRaftId } = replicatedLog.leadership();
    return replicatedLog.members().find((member) => member.raftId === leaderRaftId)?.addr;
  };
  const proposer = new Proposer(replicatedLog, options.clock);
  return { options, store, replicatedLog, proposer, logServices, leaderAddr };
}

/** The only member of a new log leads as soon as it has voted for itself. */
async function untilLeading(log: ReplicatedLog, clock: Clock): Promise<void> {
  if (log.leadership().isLeader) return;
  await new Promise<void>((resolve, reject) => {
    const late = new ClusterError(
      "DeadlineExceeded",
      "cannot start the swarm: its log elected no leader",
    );
    const cancel = clock.after(GENESIS_TIMEOUT_MS, () => reject(late));
    const end = log.onLeadership(({ isLeader }) => {
      if (!isLeader) return;
      end();
      cancel();
      resolve();
    });
  });
}
