import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { Hello, StatusUpdate, WorkerMessage } from "../../proto/gen/dispatcher.ts";
import { NodeState, type NodeTls } from "../../proto/gen/objects.ts";
import { STATUS_BATCH_MAX } from "../../proto/limits.ts";
import { livenessSettings } from "../../proto/liveness-settings.ts";
import { EndpointTables } from "../endpoints/endpoint-tables.ts";
import { SESSION_RATE } from "../rpc/limits.ts";
import { RateLimiter } from "../rpc/rate-limiter.ts";
import type { RefusalLog } from "../rpc/refusal-log.ts";
import type { Proposer } from "../store/proposer.ts";
import type { Store } from "../store/store.ts";
import type { Cursor } from "../store/watch-queue.ts";
import { checkHello } from "./check-hello.ts";
import { DrainGate } from "./drain-gate.ts";
import { LIVENESS_TICK_MS, Liveness, type Transition } from "./liveness.ts";
import { NodeSession, type Said, type SessionChannel } from "./node-session.ts";
import { Proposals } from "./proposals.ts";
import { acceptableTls } from "./reported-tls.ts";
import { SessionTable } from "./session-table.ts";
import { dataPathPort, managerAddresses } from "./settings.ts";
import { countForeign, statusChanges } from "./status-changes.ts";
import { isStopping, type StoreNews, storeNews } from "./store-news.ts";

/** Store events taken in one turn; the rest wait for the next, so that heartbeats are heard in between. */
export const EVENTS_PER_TURN_MAX = 4_096;

export interface DispatcherLoopDeps {
  /** This manager. */
  readonly nodeId: string;
  readonly store: Store;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For what nodes say that is not believed. */
  readonly refusals: RefusalLog;
  /** Told of nodes that come into session and leave it. */
  readonly onPresence: (nodeId: string, present: boolean) => void;
  /** Whether the kernel at that IP answers; never rejects. Absent: it cannot be asked, and silence alone counts. */
  readonly hostAnswers?: (addr: string) => Promise<boolean>;
}

/** The sessions of all workers while this manager leads; made new with each term, so nothing old is ever trusted. */
export class DispatcherLoop {
  readonly #deps: DispatcherLoopDeps;
  readonly #sessions: SessionTable;
  readonly #liveness: Liveness;
  readonly #gate = new DrainGate();
  readonly #limiter = new RateLimiter(SESSION_RATE);
  readonly #proposals: Proposals;
  /** Nodes whose hosts are being asked. */
  readonly #probing = new Set<string>();
  readonly #cursor: Cursor;
  #tables: EndpointTables;
  #turnPending = false;
  #cancelTick: () => void;
  #closed = false;

  constructor(deps: DispatcherLoopDeps) {
    const { store, clock, proposer, log } = deps;
    this.#deps = deps;
    this.#sessions = new SessionTable(deps.onPresence);
    this.#cursor = store.watch();
    const view = store.view();
    this.#tables = new EndpointTables(view);
    const nowMs = clock.monotonicMs();
    this.#liveness = new Liveness(livenessSettings(view.cluster?.spec), nowMs);
    for (const node of view.nodes.values()) {
      const isOtherManager = node.manager !== undefined && node.id !== deps.nodeId;
      this.#liveness.expect(node.id, { state: node.status.state, isOtherManager }, nowMs);
    }
    this.#proposals = new Proposals(proposer, log);
    this.#cancelTick = clock.after(LIVENESS_TICK_MS, () => this.#tick());
    void this.#follow();
  }

  /** A worker opened a session. @throws {ClusterError} `PermissionDenied` when it is no node of the swarm. */
  open(channel: SessionChannel, hello: Hello): void {
    const { store, clock, random, log } = this.#deps;
    const { nodeId } = channel;
    const view = store.view();
    const node = view.nodes.get(nodeId);
    if (node === undefined) {
      throw new ClusterError("PermissionDenied", `node ${nodeId} is not part of this swarm`);
    }
    const generation = view.cluster?.generation ?? 0;
    if (hello.generation > generation) {
      throw new ClusterError(
        "Unavailable",
        `cannot open a session with node ${nodeId}: this manager is of before the recovery of the swarm`,
      );
    }
    checkHello(hello);
    this.#checkRate(nodeId);
    this.#sessions.end(nodeId, new ClusterError("Aborted", "the node opened a newer session"));
    const session = new NodeSession(newId(random), channel, hello);
    log.info("node in session", { nodeId, addr: session.addr });
    channel.send({
      $case: "welcome",
      value: {
        sessionId: session.id,
        heartbeatMs: livenessSettings(view.cluster?.spec).heartbeatMs,
        managers: { managers: managerAddresses(view, this.#deps.nodeId) },
        dataPathPort: dataPathPort(view),
        addr: session.addr,
        generation,
      },
    });
    session.tellRole(node.spec.role);
    const { state, message } = this.#liveness.onHello(nodeId, clock.monotonicMs());
    const status = { state, message, addr: session.addr };
    const { description } = hello;
    const tls = acceptableTls(hello.tls);
    this.#proposals.node(nodeId, {
      status,
      ...(description && { description }),
      ...(tls && { tls }),
    });
    this.#sessions.add(session);
    this.#wake();
  }

  /**
   * A worker said something after its Hello. What comes from a session that was replaced is not heard.
   *
   * @throws {ClusterError} `InvalidArgument` when no worker of ours would say it.
   */
  receive(channel: SessionChannel, message: NonNullable<WorkerMessage["kind"]>): void {
    const session = this.#sessions.on(channel);
    if (session === undefined) return;
    const back = this.#liveness.onWord(channel.nodeId, this.#deps.clock.monotonicMs());
    if (back !== undefined) this.#carryOut(back);
    switch (message.$case) {
      case "heartbeat":
        if (!channel.congested) channel.send({ $case: "heartbeat", value: {} });
        break;
      case "statusUpdate":
        this.#onStatus(session, message.value);
        break;
      case "endpointAck":
        session.onServed(message.value.networkId, message.value.version);
        this.#wake();
        break;
      case "tls":
        this.#onTls(channel.nodeId, message.value);
        break;
      case "hello":
        throw new ClusterError("InvalidArgument", "a session has one Hello, the first message");
    }
  }

  /** The session's connection is gone. */
  broken(channel: SessionChannel): void {
    const session = this.#sessions.on(channel);
    if (session === undefined) return;
    this.#sessions.remove(session);
    const transition = this.#liveness.onBroken(channel.nodeId, this.#deps.clock.monotonicMs());
    if (transition !== undefined) this.#carryOut(transition);
  }

  /** The channel has room again. */
  drained(channel: SessionChannel): void {
    const session = this.#sessions.on(channel);
    if (session === undefined) return;
    this.#sessions.mark(session);
    this.#wake();
  }

  /** Says something to a node beside its assignments. @returns whether it is in session. */
  tell(nodeId: string, message: Said): boolean {
    return this.#sessions.tell(nodeId, message);
  }

  isInSession(nodeId: string): boolean {
    return this.#sessions.find(nodeId) !== undefined;
  }

  /** This manager leads no more: workers are to look for the one who does. */
  close(reason: ClusterError): void {
    this.#closed = true;
    this.#cancelTick();
    this.#cursor.close();
    this.#proposals.close();
    for (const nodeId of this.#sessions.nodeIds) this.#sessions.end(nodeId, reason);
  }

  /** Whatever a node does, the others get their turn. */
  #checkRate(nodeId: string): void {
    const waitMs = this.#limiter.take(nodeId, this.#deps.clock.monotonicMs());
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    const message = `node ${nodeId} opens sessions too often: try again in ${seconds} s`;
    throw new ClusterError("ResourceExhausted", message, { details: { waitMs } });
  }

  #onTls(nodeId: string, reported: NodeTls): void {
    const tls = acceptableTls(reported);
    if (tls !== undefined) this.#proposals.node(nodeId, { tls });
  }

  #onStatus(session: NodeSession, update: StatusUpdate): void {
    const { channel } = session;
    const { nodeId } = channel;
    checkReport(session, update);
    const view = this.#deps.store.view();
    const foreign = countForeign(view, nodeId, update);
    if (foreign > 0) {
      const fields = { nodeId, peer: channel.peerAddr, tasks: foreign };
      this.#deps.refusals.warn("a node reports on tasks of other nodes: not believed", fields);
    }
    const changes = statusChanges(view, nodeId, update);
    session.isReporting = true;
    const acknowledge = () => {
      session.isReporting = false;
      channel.send({ $case: "statusAck", value: { sequence: update.sequence } });
    };
    if (changes.length === 0) {
      acknowledge();
      return;
    }
    this.#proposals.report(changes, (error) => {
      if (error === undefined) acknowledge();
      // The worker tells it again in its next session, here or with another manager.
      else
        channel.end(new ClusterError("Unavailable", `statuses not stored: ${errorMessage(error)}`));
    });
  }

  async #follow(): Promise<void> {
    while (!this.#closed) {
      await this.#cursor.ready();
      this.#wake();
      // A new turn of the event loop: the cursor has been read by then, and sockets were heard in between.
      await new Promise<void>((resolve) => void this.#deps.clock.after(0, resolve));
    }
  }

  /** What happens in one turn of the event loop is answered in one. */
  #wake(): void {
    if (this.#turnPending || this.#closed) return;
    this.#turnPending = true;
    queueMicrotask(() => this.#turn());
  }

  #turn(): void {
    this.#turnPending = false;
    if (this.#closed) return;
    this.#takeStoreEvents();
    this.#releaseStops();
    this.#sessions.update(this.#deps.store.view(), this.#tables, (taskId) =>
      this.#gate.holds(taskId),
    );
  }

  #takeStoreEvents(): void {
    const view = this.#deps.store.view();
    const batch = this.#cursor.take(EVENTS_PER_TURN_MAX);
    if (batch.kind === "resync") {
      this.#tables = new EndpointTables(view);
      this.#restartSessions();
      return;
    }
    if (batch.events.length === 0) return;
    const changedNetworks = this.#tables.update(view, batch.events);
    if (changedNetworks.size > 0) this.#sessions.markAll();
    this.#apply(storeNews(batch.events));
  }

  #apply(news: StoreNews): void {
    const { store, clock } = this.#deps;
    const view = store.view();
    for (const { nodeId, taskId } of news.tasks) {
      this.#sessions.markTask(nodeId, taskId);
      if (!isStopping(view.tasks.get(taskId))) this.#gate.drop(taskId);
    }
    for (const task of news.stopping) {
      const needs = task.networks.map(({ networkId }): [string, number] => [
        networkId,
        this.#tables.version(networkId),
      ]);
      this.#gate.hold(task.id, new Map(needs), clock.monotonicMs());
    }
    for (const nodeId of news.nodes) this.#onNodeChanged(nodeId);
    if (news.cluster) this.#configure();
    if (news.managers) {
      const value = { managers: managerAddresses(view, this.#deps.nodeId) };
      for (const nodeId of this.#sessions.nodeIds) this.tell(nodeId, { $case: "managers", value });
    }
  }

  /** New times hold at once, here and for every worker in session. */
  #configure(): void {
    const { store, clock } = this.#deps;
    const settings = livenessSettings(store.view().cluster?.spec);
    this.#liveness.configure(settings, clock.monotonicMs());
    const { heartbeatMs } = settings;
    for (const nodeId of this.#sessions.nodeIds)
      this.tell(nodeId, { $case: "settings", value: { heartbeatMs } });
  }

  #onNodeChanged(nodeId: string): void {
    const session = this.#sessions.find(nodeId);
    const node = this.#deps.store.view().nodes.get(nodeId);
    if (node === undefined) {
      this.#liveness.forget(nodeId);
      this.#sessions.end(nodeId, new ClusterError("PermissionDenied", "the node was removed"));
      return;
    }
    if (session === undefined) return;
    this.#sessions.mark(session);
    session.tellRole(node.spec.role);
  }

  /** Tasks whose nodes have all confirmed, or that waited long enough, are stopped. */
  #releaseStops(): void {
    const served = new Map<string, number>();
    const servedBy = (networkId: string) => {
      const known = served.get(networkId) ?? this.#sessions.servedByAll(networkId);
      served.set(networkId, known);
      return known;
    };
    const view = this.#deps.store.view();
    for (const taskId of this.#gate.release(servedBy, this.#deps.clock.monotonicMs())) {
      this.#sessions.markTask(view.tasks.get(taskId)?.nodeId ?? "", taskId);
    }
  }

  #tick(): void {
    const { clock } = this.#deps;
    this.#cancelTick = clock.after(LIVENESS_TICK_MS, () => this.#tick());
    const nowMs = clock.monotonicMs();
    for (const transition of this.#liveness.tick(nowMs)) this.#carryOut(transition);
    for (const nodeId of this.#liveness.silent(nowMs)) this.#probe(nodeId);
    this.#proposals.retry();
    this.#wake();
  }

  /** Asks a silent node's host whether it is there; one question at a time. */
  #probe(nodeId: string): void {
    const { store, clock, hostAnswers } = this.#deps;
    const { addr } = store.view().nodes.get(nodeId)?.status ?? { addr: "" };
    if (hostAnswers === undefined || addr === "" || this.#probing.has(nodeId)) return;
    this.#probing.add(nodeId);
    void hostAnswers(addr).then((answered) => {
      this.#probing.delete(nodeId);
      if (answered && !this.#closed) this.#liveness.onHostAnswered(nodeId, clock.monotonicMs());
    });
  }

  #carryOut({ nodeId, state, message }: Transition): void {
    const { store, log } = this.#deps;
    log.warn("node state", { nodeId, state, reason: message });
    const addr = store.view().nodes.get(nodeId)?.status.addr ?? "";
    this.#proposals.node(nodeId, { status: { state, message, addr } });
    if (state !== NodeState.DOWN) return;
    const reason = new ClusterError("DeadlineExceeded", `the node was given up: ${message}`);
    this.#sessions.end(nodeId, reason);
  }

  /** After a gap in what we saw of the store: every worker starts over with a complete set. */
  #restartSessions(): void {
    const reason = new ClusterError("Unavailable", "the manager lost its place in the store");
    for (const nodeId of this.#sessions.nodeIds) {
      this.#sessions.end(nodeId, reason);
      this.#liveness.onBroken(nodeId, this.#deps.clock.monotonicMs());
    }
  }
}

/** @throws {ClusterError} `InvalidArgument`: there are limits to what is stored for one worker at once. */
function checkReport({ isReporting }: NodeSession, { statuses }: StatusUpdate): void {
  const refuse = (why: string): never => {
    throw new ClusterError("InvalidArgument", `cannot take ${statuses.length} statuses: ${why}`);
  };
  if (statuses.length > STATUS_BATCH_MAX) refuse(`at most ${STATUS_BATCH_MAX} at once`);
  if (isReporting) refuse("those before are not acknowledged yet");
}
