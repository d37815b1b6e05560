import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import type { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { RaftNode } from "../../raft-ts/index.ts";
import type { Proposed, Ready, Refusal, SnapshotMeta, Status } from "../../raft-ts/types.ts";
import type { AppliedState } from "./applied-state.ts";
import { type DriverInput, Inbox, type InputHandlers, type Schedule } from "./inbox.ts";
import { LeadershipCell } from "./leadership.ts";
import { LogWriter } from "./log-writer.ts";
import { lostLeadership, refused } from "./proposal-errors.ts";
import { Requests } from "./requests.ts";
import type { DataKeys } from "./seal/data-key.ts";
import type { LoadedSnapshot } from "./snapshot/snapshot-store.ts";
import type { Snapshotter } from "./snapshotter.ts";
import type { Receiver, SnapshotMessage, Transport } from "./transport/transport.ts";
import { Conditions, type Waiter } from "./waiting.ts";
import type { Wal } from "./wal/wal.ts";

/** Unit of raft's time. */
export const TICK_MS = 100;
/** A leader is missed after one to two of these: 0.7 to 1.4 s, so that the next one leads within 2 s (docs/decisions/005). */
export const ELECTION_TICKS = 7;
export const HEARTBEAT_TICKS = 1;
/** Of a leader's lease, where reads go by it: holds while clocks' rates differ by less than half (docs/decisions/007). */
export const LEASE_TICKS = 4;

/** What the driver steps and carries out effects with. */
export interface DriverParts {
  readonly node: RaftNode;
  readonly applied: AppliedState;
  readonly wal: Wal;
  readonly snapshotter: Snapshotter;
  readonly transport: Transport;
  readonly clock: Clock;
  /** When the driver works on what has arrived. */
  readonly schedule: Schedule;
  readonly log: Log;
  readonly keys?: DataKeys | undefined;
  /** Disk or invariant broken: the driver has stopped, and so must the process. Called once. */
  readonly onFatal: (error: unknown) => void;
  readonly onHello?: Receiver["onHello"];
  readonly onExpelled?: Receiver["onExpelled"];
}

/**
 * The shell around one RaftNode: a bounded inbox, one event at a time, effects in raft's order. While a batch is being
 * written the node goes on; what it may not say before the disk has it, it holds back itself (see raft-ts' Ready).
 */
export class RaftDriver {
  readonly leadership = new LeadershipCell();
  readonly #parts: DriverParts;
  readonly #writer: LogWriter;
  readonly #inbox: Inbox;
  readonly requests: Requests;
  readonly #conditions = new Conditions();
  /** Received, durable and offered to the node in this step: it says whether to restore from one. */
  #received: LoadedSnapshot[] = [];
  #ticks = 0;
  readonly #heardAtTick = new Map<number, number>();
  #isStopped = false;
  #cancelTick: () => void = () => {};
  #forgetKeys: () => void = () => {};

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#inbox = new Inbox(() => this.#work(), parts.schedule);
    this.requests = new Requests(this.#inbox);
    this.#writer = new LogWriter(parts.wal, {
      onStable: (readyId) => this.deliver({ kind: "stable", readyId }),
      onFailure: (error) => this.fail(error),
    });
  }

  /** Starts time and takes what arrives. */
  start(): void {
    const { transport, snapshotter, applied, keys } = this.#parts;
    this.#forgetKeys = keys?.onChange(() => this.#rollKey()) ?? this.#forgetKeys;
    if (keys?.isRotating === true) this.#rollKey();
    transport.start({
      onMessage: (message) => this.deliver({ kind: "message", message }),
      onUnreachable: (raftId) => this.deliver({ kind: "unreachable", raftId }),
      onSnapshot: (message, source) =>
        snapshotter.receive(message, source, (loaded) =>
          this.deliver({ kind: "message", message, loaded }),
        ),
      onHello: (member) => this.#parts.onHello?.(member),
      onExpelled: (notice) => this.#parts.onExpelled?.(notice),
    });
    transport.setMembers(applied.members);
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

  /** Members heard from within an election timeout, this one included: as a leader hears its followers. */
  reachable(): ReadonlySet<number> {
    const recent = [...this.#heardAtTick].filter(
      ([, tick]) => this.#ticks - tick <= ELECTION_TICKS,
    );
    return new Set([this.status().id, ...recent.map(([raftId]) => raftId)]);
  }

  /** Queues one event. */
  deliver(input: DriverInput): void {
    if (!this.#isStopped) this.#inbox.push(input);
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
    await this.#writer.finish();
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
    this.#forgetKeys();
    this.requests.close();
    this.#conditions.endAll();
    const { term } = this.leadership.current;
    this.leadership.set({ leaderRaftId: undefined, isLeader: false, term });
  }

  /** Nothing is written under an older key from here on; then what is under one can go. */
  #rollKey(): void {
    this.#writer.roll(() => this.deliver({ kind: "snapshotSaved" }));
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
      this.#received = [];
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
      const { node, transport } = this.#parts;
      this.#conditions.tick();
      this.#ticks++;
      node.tick();
      if (node.leadership().leader === 0) transport.announce();
    },
    message: ({ message, loaded }) => {
      if (loaded !== undefined) this.#received.push(loaded);
      this.#heardAtTick.set(message.from, this.#ticks);
      this.#parts.node.step(message);
    },
    propose: ({ data, waiter }) =>
      this.#expect(this.#parts.node.propose(data), data.length, waiter),
    change: ({ change, waiter }) =>
      this.#expect(this.#parts.node.proposeConfChange(change), 0, waiter),
    read: ({ waiter }) => this.requests.reads.add(waiter),
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
    if (answer.kind === "proposed") this.requests.proposals.add({ ...answer, bytes }, waiter);
    else waiter.reject(this.#refusal("propose", answer));
  }

  #askReads(): void {
    const context = this.requests.reads.ask();
    if (context === undefined) return;
    const answer = this.#parts.node.readIndex(context);
    if (answer.kind !== "accepted")
      this.requests.reads.reject(context, this.#refusal("read", answer));
  }

  /** The order and its reasons: raft-ts/types.ts, Ready. */
  #carryOut(ready: Ready): void {
    for (const message of ready.messages) {
      if (message.kind === "snapshot") this.#sendSnapshot(message);
      else this.#parts.transport.send(message);
    }
    this.#writer.add(ready);
    if (ready.snapshot !== undefined) this.#restore(ready.snapshot);
    this.#apply(ready);
    for (const { context, index } of ready.reads) this.requests.reads.confirm(context, index);
    for (const context of ready.lostReads)
      this.requests.reads.reject(context, lostLeadership("the read"));
    this.requests.reads.serve(this.#parts.applied.index);
  }

  #restore({ index, term }: SnapshotMeta): void {
    const { node, applied, snapshotter, transport } = this.#parts;
    const loaded = this.#received.find(
      ({ header: { meta } }) => meta.index === index && meta.term === term,
    );
    assert(loaded !== undefined, `the snapshot at ${index} was received`);
    applied.restore(loaded);
    node.appliedTo(index);
    snapshotter.restored(loaded.header.meta);
    transport.setMembers(applied.members);
    this.deliver({ kind: "snapshotSaved" });
  }

  #apply(ready: Ready): void {
    const { node, applied, transport } = this.#parts;
    for (const entry of ready.committed) {
      const result = applied.apply(entry);
      if (entry.kind === "confChange") {
        node.applyConfChange(entry);
        transport.setMembers(applied.members);
      }
      this.requests.proposals.settle(entry, result);
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
      this.requests.proposals.rejectOthers(isLeader ? term : undefined);
    }
    this.leadership.set({ leaderRaftId: leader === 0 ? undefined : leader, isLeader, term });
    if (before.isLeader !== isLeader) {
      this.#parts.log.info(isLeader ? "became the leader" : "is no longer the leader", { term });
    } else if (before.leaderRaftId !== undefined && leader === 0) {
      this.#parts.log.info("misses its leader", { term });
    }
  }

  #refusal(action: string, refusal: Refusal): ClusterError {
    return refused(action, refusal, this.#parts.applied.members);
  }
}
