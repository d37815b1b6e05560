import type { Clock } from "../../core/clock.ts";
import type { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { RaftNode } from "../../raft-ts/index.ts";
import type { ConfChange, Proposed, Ready, Refusal, Status } from "../../raft-ts/types.ts";
import type { AppliedState } from "./applied-state.ts";
import { type DriverInput, Inbox, type InputHandlers } from "./inbox.ts";
import { LeadershipCell } from "./leadership.ts";
import { LogWriter } from "./log-writer.ts";
import { checkQueueRoom, logClosed, lostLeadership, refused } from "./proposal-errors.ts";
import type { LoadedSnapshot } from "./snapshot/snapshot-store.ts";
import type { Snapshotter } from "./snapshotter.ts";
import type { SnapshotMessage, Transport } from "./transport/transport.ts";
import { Conditions, PendingProposals, PendingReads, type Waiter } from "./waiting.ts";
import type { Wal } from "./wal/wal.ts";

/** Unit of raft's time. */
export const TICK_MS = 100;
/** A leader is missed after one to two of these: 1 to 2 s. */
export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 1;

/** What the driver steps and carries out effects with. */
export interface DriverParts {
  readonly node: RaftNode;
  readonly applied: AppliedState;
  readonly wal: Wal;
  readonly snapshotter: Snapshotter;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** Disk or invariant broken: the driver has stopped, and so must the process. Called once. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * The shell around one RaftNode: a bounded inbox, one event at a time, effects in raft's order. While a batch is being
 * written the node goes on; what it may not say before the disk has it, it holds back itself (see raft-ts' Ready).
 */
export class RaftDriver {
  readonly leadership = new LeadershipCell();
  readonly #parts: DriverParts;
  readonly #writer: LogWriter;
  readonly #inbox = new Inbox(() => this.#work());
  readonly #proposals = new PendingProposals();
  readonly #reads = new PendingReads();
  readonly #conditions = new Conditions();
  /** Received and durable, until the node says to restore from it. */
  #received: LoadedSnapshot | undefined;
  #isStopped = false;
  #cancelTick: () => void = () => {};

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#writer = new LogWriter(parts.wal, {
      onStable: (readyId) => this.deliver({ kind: "stable", readyId }),
      onFailure: (error) => this.fail(error),
    });
  }

  /** Starts time and takes what arrives. */
  start(): void {
    const { transport, snapshotter, applied } = this.#parts;
    transport.start({
      onMessage: (message) => this.deliver({ kind: "message", message }),
      onUnreachable: (raftId) => this.deliver({ kind: "unreachable", raftId }),
      onSnapshot: (message, source) =>
        snapshotter.receive(message, source, (loaded) =>
          this.deliver({ kind: "message", message, loaded }),
        ),
    });
    transport.setMembers(applied.members.members);
    this.#scheduleTick();
    this.#inbox.schedule();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get applied(): AppliedState {
    return this.#parts.applied;
  }

  status(): Status {
    return this.#parts.node.status();
  }

  /** Queues one event. */
  deliver(input: DriverInput): void {
    if (!this.#isStopped) this.#inbox.push(input);
  }

  /** Resolves with the result of applying `data`. @throws {ClusterError} as `ReplicatedLog.propose`. */
  propose(data: Uint8Array): Promise<unknown> {
    return this.#ask("propose", (waiter) => {
      const { count, bytes } = this.#inbox.proposals;
      const pending = this.#proposals;
      checkQueueRoom(count + pending.count + 1, bytes + pending.bytes + data.length);
      this.deliver({ kind: "propose", data, waiter });
    });
  }

  /** Resolves once the change is in effect here. @throws {ClusterError} as `ReplicatedLog.addMember`. */
  async change(change: ConfChange): Promise<void> {
    await this.#ask<unknown>("change the managers", (waiter) =>
      this.deliver({ kind: "change", change, waiter }),
    );
  }

  /** Resolves once everything committed before the call is applied here. */
  read(): Promise<void> {
    return this.#ask("read", (waiter) => this.deliver({ kind: "read", waiter }));
  }

  /** Resolves once the node has begun to hand leadership to `to`. */
  transfer(to: number): Promise<void> {
    return this.#ask("hand over leadership", (waiter) =>
      this.deliver({ kind: "transfer", to, waiter }),
    );
  }

  /** Resolves true once `holds`, looked at after each step; false after `ticks` ticks or when stopped. */
  waitUntil(holds: () => boolean, ticks: number): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    this.#inbox.schedule();
    return this.#conditions.wait(holds, ticks);
  }

  /** Stops for good; resolves once nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#end();
    await this.#writer.idle();
    await this.#parts.snapshotter.idle();
  }

  /** Stops because disk or invariant broke, and says so once. */
  fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#end();
    this.#parts.onFatal(error);
  }

  #end(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTick();
    for (const input of this.#inbox.takeAll()) {
      if ("waiter" in input) input.waiter.reject(logClosed(input.kind));
    }
    this.#proposals.rejectOthers(undefined, () => lostLeadership("the proposal"));
    this.#reads.rejectAll(() => logClosed("read"));
    this.#conditions.endAll();
    const { term } = this.leadership.current;
    this.leadership.set({ leaderRaftId: undefined, isLeader: false, term });
  }

  #ask<T>(action: string, queue: (waiter: Waiter<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) throw logClosed(action);
      queue({ resolve, reject });
    });
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#parts.clock.after(TICK_MS, () => {
      this.#scheduleTick();
      this.deliver({ kind: "tick" });
    });
  }

  /** All that queued is stepped before the effects: so many proposals become one append and one flush. */
  #work(): void {
    if (this.#isStopped) return;
    const { node, snapshotter } = this.#parts;
    try {
      for (const input of this.#inbox.takeAll()) this.#step(input);
      this.#askReads();
      for (let ready = node.takeReady(); ready !== undefined; ready = node.takeReady()) {
        this.#carryOut(ready);
      }
      this.#noteLeadership();
      this.#conditions.look();
      snapshotter.maybeSave(node, () => this.deliver({ kind: "snapshotSaved" }));
    } catch (error) {
      this.fail(error);
    }
  }

  #step(input: DriverInput): void {
    const handle = this.#handlers[input.kind] as (input: DriverInput) => void;
    handle(input);
  }

  readonly #handlers: InputHandlers = {
    tick: () => {
      this.#conditions.tick();
      this.#parts.node.tick();
    },
    message: ({ message, loaded }) => {
      this.#received = loaded ?? this.#received;
      this.#parts.node.step(message);
    },
    propose: ({ data, waiter }) =>
      this.#expect(this.#parts.node.propose(data), data.length, waiter),
    change: ({ change, waiter }) =>
      this.#expect(this.#parts.node.proposeConfChange(change), 0, waiter),
    read: ({ waiter }) => this.#reads.add(waiter),
    transfer: ({ to, waiter }) => {
      const answer = this.#parts.node.transferLeadership(to);
      if (answer.kind === "accepted") waiter.resolve();
      else waiter.reject(this.#refusal("hand over leadership", answer));
    },
    campaign: () => this.#parts.node.campaign(),
    stable: ({ readyId }) => this.#parts.node.stabledTo(readyId),
    unreachable: ({ raftId }) => this.#parts.node.reportUnreachable(raftId),
    snapshotSent: ({ raftId, ok }) => this.#parts.node.reportSnapshot(raftId, ok),
    snapshotSaved: () => this.#parts.snapshotter.compact(this.#parts.node),
  };

  #expect(answer: Proposed | Refusal, bytes: number, waiter: Waiter<unknown>): void {
    if (answer.kind === "proposed") this.#proposals.add({ ...answer, bytes }, waiter);
    else waiter.reject(this.#refusal("propose", answer));
  }

  #askReads(): void {
    const context = this.#reads.ask();
    if (context === undefined) return;
    const answer = this.#parts.node.readIndex(context);
    if (answer.kind !== "accepted") this.#reads.reject(context, this.#refusal("read", answer));
  }

  /** The order and its reasons: raft-ts/types.ts, Ready. */
  #carryOut(ready: Ready): void {
    for (const message of ready.messages) {
      if (message.kind === "snapshot") this.#sendSnapshot(message);
      else this.#parts.transport.send(message);
    }
    this.#writer.add(ready);
    if (ready.snapshot !== undefined) this.#restore(ready.snapshot.index);
    this.#apply(ready);
    for (const { context, index } of ready.reads) this.#reads.confirm(context, index);
    for (const context of ready.lostReads) this.#reads.reject(context, lostLeadership("the read"));
    this.#reads.serve(this.#parts.applied.index);
  }

  #restore(index: number): void {
    const { node, applied, snapshotter, transport } = this.#parts;
    applied.restore(snapshotter.takeReceived(this.#received, index));
    this.#received = undefined;
    node.appliedTo(index);
    transport.setMembers(applied.members.members);
    this.deliver({ kind: "snapshotSaved" });
  }

  #apply(ready: Ready): void {
    const { node, applied, transport } = this.#parts;
    for (const entry of ready.committed) {
      const result = applied.apply(entry);
      if (entry.kind === "confChange") {
        node.applyConfChange(entry);
        transport.setMembers(applied.members.members);
      }
      this.#proposals.settle(entry, result);
    }
    const last = ready.committed.at(-1);
    if (last !== undefined) node.appliedTo(last.index);
  }

  #sendSnapshot(message: SnapshotMessage): void {
    const { snapshotter, transport, log } = this.#parts;
    const raftId = message.to;
    snapshotter.send(message, transport).then(
      () => this.deliver({ kind: "snapshotSent", raftId, ok: true }),
      (error: unknown) => {
        log.warn("cannot send a snapshot", { raftId, error: String(error) });
        this.deliver({ kind: "snapshotSent", raftId, ok: false });
      },
    );
  }

  #noteLeadership(): void {
    const { role, term, leader } = this.#parts.node.leadership();
    const isLeader = role === "leader";
    const before = this.leadership.current;
    if (!isLeader || term !== before.term) {
      const lost = (): ClusterError => lostLeadership("the proposal");
      this.#proposals.rejectOthers(isLeader ? term : undefined, lost);
    }
    this.leadership.set({ leaderRaftId: leader === 0 ? undefined : leader, isLeader, term });
    if (before.isLeader !== isLeader) {
      this.#parts.log.info(isLeader ? "became the leader" : "is no longer the leader", { term });
    }
  }

  #refusal(action: string, refusal: Refusal): ClusterError {
    return refused(action, refusal, this.#parts.applied.members);
  }
}
