import { assert } from "./assert.ts";
import { applyConfChange, maybeLeaveJoint } from "./conf-change.ts";
import { campaign } from "./election.ts";
import { Raft } from "./raft.ts";
import { ReadyAssembler } from "./ready.ts";
import { flush } from "./replication.ts";
import { propose, proposeConfChange, readIndex, transferLeadership } from "./requests.ts";
import { describeStatus } from "./status.ts";
import { step } from "./step.ts";
import { tick } from "./tick.ts";
import type {
  Accepted,
  ConfChange,
  ConfState,
  Entry,
  Leadership,
  Message,
  Proposed,
  RaftId,
  RaftOptions,
  Ready,
  Refusal,
  SnapshotMeta,
  Status,
  StoredState,
} from "./types.ts";

/**
 * One member of a group that keeps one log: Raft as a state machine without clock, dice, disk or network.
 *
 * The shell feeds it (`tick`, `step`, requests), then calls `takeReady` until undefined and does what each
 * {@link Ready} says. Nothing here waits or fails; only a broken invariant throws, and then the process must stop.
 */
export class RaftNode {
  readonly #raft: Raft;
  readonly #ready: ReadyAssembler;

  constructor(options: RaftOptions, stored: StoredState) {
    assert(Number.isSafeInteger(options.id) && options.id > 0, `${options.id} is no raft id`);
    assert(
      options.heartbeatTicks > 0 && options.heartbeatTicks < options.electionTicks,
      `heartbeatTicks ${options.heartbeatTicks} must be less than electionTicks ${options.electionTicks}`,
    );
    const { lease, electionTicks } = options;
    assert(
      lease === undefined || (lease.ticks > 0 && lease.ticks < electionTicks),
      `a lease of ${lease?.ticks} ticks must be less than electionTicks ${electionTicks}`,
    );
    this.#raft = new Raft(options, stored);
    this.#ready = new ReadyAssembler(this.#raft, stored.hardState);
  }

  /** One unit of time has passed. */
  tick(): void {
    tick(this.#raft);
  }

  /** Takes a message from a peer. Anything a network does to messages is allowed: loss, repetition, disorder. */
  step(message: Message): void {
    step(this.#raft, message);
  }

  /** Appends `data` to the log. Leader only. The bytes belong to the node from here on. */
  propose(data: Uint8Array): Proposed | Refusal {
    return propose(this.#raft, data);
  }

  /**
   * Changes who takes part. Leader only; at most one proposal may be unapplied. Several changes go through a joint
   * configuration, which the leader leaves by itself.
   */
  proposeConfChange(...changes: readonly [ConfChange, ...ConfChange[]]): Proposed | Refusal {
    return proposeConfChange(this.#raft, changes);
  }

  /**
   * Asks for a linearizable read: `context` comes back in `Ready.reads`, or in `Ready.lostReads`. Leader only. Costs a round of
   * heartbeats, shared by all who ask meanwhile, unless the leader holds a lease ({@link RaftOptions.lease}).
   */
  readIndex(context: number): Accepted | Refusal {
    return readIndex(this.#raft, context);
  }

  /** Hands leadership to the voter `to`; given up after an election timeout. Shows in `leadership()`. Leader only. */
  transferLeadership(to: RaftId): Accepted | Refusal {
    return transferLeadership(this.#raft, to);
  }

  /**
   * Stands for election now, without waiting for the timeout (asks for pre-votes first). Nothing when not a voter, or when
   * a leader may hold a lease by this member's word.
   */
  campaign(): void {
    campaign(this.#raft, "preVote");
  }

  /** What to do next, or undefined. Call after every other call, until undefined. */
  takeReady(): Ready | undefined {
    if (this.#raft.role.name === "leader") flush(this.#raft, this.#raft.role);
    return this.#ready.take();
  }

  /** Everything to be written of the Readys up to `readyId` is durable. */
  stabledTo(readyId: number): void {
    for (const message of this.#ready.stabledTo(readyId)) step(this.#raft, message);
  }

  /** Everything up to `index` has been applied (a restored snapshot counts). */
  appliedTo(index: number): void {
    const lastChange = this.#raft.log.lastUnappliedConf(index) ?? 0;
    assert(
      lastChange <= this.#raft.confIndex,
      `membership change ${lastChange} was passed over: give it to applyConfChange first`,
    );
    this.#raft.log.appliedTo(index);
    maybeLeaveJoint(this.#raft);
  }

  /** Puts a committed `confChange` entry into effect; call in order, before `appliedTo` passes it. */
  applyConfChange(entry: Entry): ConfState {
    applyConfChange(this.#raft, entry);
    return this.#raft.conf;
  }

  /** Of the state as applied now (`appliedTo`): what a snapshot taken now must be labelled with. */
  describeSnapshot(): SnapshotMeta {
    const { log, conf, confIndex } = this.#raft;
    const term = log.term(log.applied);
    assert(term !== undefined, `nothing is known of the applied entry ${log.applied}`);
    assert(confIndex <= log.applied, `membership change ${confIndex} is not covered by appliedTo`);
    return { index: log.applied, term, confState: conf };
  }

  /**
   * The shell holds `snapshot` durably: it is offered to peers who lag, and entries before `snapshot.index - keepEntries`
   * are forgotten. Keeping some spares a peer that is a little behind the whole snapshot.
   */
  compact(snapshot: SnapshotMeta, keepEntries: number): void {
    this.#raft.log.compact(snapshot, snapshot.index - keepEntries);
  }

  /** Messages to `id` are not arriving: stop pipelining, probe. */
  reportUnreachable(id: RaftId): void {
    const { role } = this.#raft;
    if (role.name === "leader") role.peers.get(id)?.unreachable();
  }

  /** The transfer of a snapshot to `id` ended; without this call the peer stays in `snapshot`. */
  reportSnapshot(id: RaftId, ok: boolean): void {
    const { role } = this.#raft;
    if (role.name === "leader") role.peers.get(id)?.snapshotEnded(ok);
  }

  /** Cheap: ask after each step. */
  leadership(): Leadership {
    return { role: this.#raft.role.name, term: this.#raft.term, leader: this.#raft.leader };
  }

  /** Everything an operator may want to know. */
  status(): Status {
    return describeStatus(this.#raft);
  }
}
