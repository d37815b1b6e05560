import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { EtcdHead } from "../../../proto/gen/etcd.ts";
import { LeadershipCell } from "../leadership.ts";
import { findMember, type MemberTable } from "../members.ts";
import { logClosed, lostLeadership, notLeader, replaced } from "../proposal-errors.ts";
import type { StateMachine } from "../replicated-log.ts";
import { Conditions, PendingReads } from "../waiting.ts";
import { commitRecord, type Outcome, pause, RETRY_MS } from "./commit-record.ts";
import type { EtcdKv, Operation } from "./etcd-kv.ts";
import type { Keys } from "./keys.ts";
import type { Head, MetaView } from "./meta-view.ts";
import type { MetaWatch } from "./meta-watch.ts";
import { type Proposal, Proposals } from "./proposals.ts";
import { BEAT_MS, type Session } from "./session.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Tail } from "./tail.ts";

export interface EtcdDriverParts {
  readonly kv: EtcdKv;
  readonly keys: Keys;
  readonly view: MetaView;
  readonly watch: MetaWatch;
  readonly session: Session;
  readonly tail: Tail;
  readonly snapshots: Snapshots;
  readonly stateMachine: StateMachine;
  readonly raftId: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFatal: (error: unknown) => void;
  readonly onExpelled: () => void;
}

/**
 * The shell of the log in etcd: signs of life at a steady pace, and beside them one thing at a time: catching up with the
 * log and, while this member leads, writing what was proposed.
 */
export class EtcdDriver {
  readonly leadership = new LeadershipCell();
  readonly #parts: EtcdDriverParts;
  readonly #proposals = new Proposals();
  readonly #reads = new PendingReads();
  readonly #conditions = new Conditions();
  #sequence = 0;
  #isStopped = false;
  #isFailing = false;
  #isHandingOver = false;
  #isExpelled = false;
  #isNudged = false;
  #wake: () => void = () => undefined;
  #cancelBeat: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  #beating: Promise<void> | undefined;
  #working: Promise<void> | undefined;

  constructor(parts: EtcdDriverParts) {
    this.#parts = parts;
  }

  /** Takes part from now on; the view must have been looked at, or etcd not be reached. */
  start(): void {
    this.#beatSoon();
    this.#working = this.#work();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get members(): MemberTable {
    return this.#parts.view.meta.members;
  }

  propose(data: Uint8Array): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.mustLead("propose");
      this.#proposals.add({ data, resolve, reject });
      this.nudge();
    });
  }

  read(): Promise<void> {
    return new Promise((resolve, reject) => {
      const term = this.mustLead("read");
      this.#reads.add({ resolve, reject });
      void this.#askReads(term);
    });
  }

  /** Carries out `act` if this member still leads. @throws {ClusterError} */
  async fenced(action: string, act: readonly Operation[]): Promise<void> {
    const { kv, keys, raftId, watch } = this.#parts;
    const createRevision = this.mustLead(action);
    const fence = { key: keys.candidate(raftId), createRevision };
    const { held } = await kv.txn({ when: [fence], act });
    await watch.look();
    if (!held) throw lostLeadership(action);
  }

  /** Ends this member's leadership in favour of whoever has waited longest. @throws {ClusterError} */
  async handOver(): Promise<void> {
    const { session } = this.#parts;
    this.#isHandingOver = true;
    this.noteChange();
    try {
      await session.standDown();
    } finally {
      this.#isHandingOver = false;
      this.noteChange();
    }
  }

  /** Reads anew what etcd has. @throws {ClusterError} */
  async look(): Promise<void> {
    await this.#parts.watch.look();
  }

  /** Resolves true once `holds`, looked at after each change; false after `timeoutMs` or when stopped. */
  waitUntil(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    const waiting = this.#conditions.wait(holds, Math.ceil(timeoutMs / BEAT_MS));
    this.#conditions.look();
    return waiting;
  }

  /** @returns our term. @throws {ClusterError} `Unavailable` when this member does not lead. */
  mustLead(action: string): number {
    if (this.#isStopped) throw logClosed(action);
    const { isLeader, leaderRaftId, term } = this.leadership.current;
    if (isLeader) return term;
    throw notLeader(action, findMember(this.members, leaderRaftId ?? 0));
  }

  /** Something happened: there may be work. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake();
  }

  /** The view changed, or what we make of it. */
  noteChange(): void {
    if (this.#isStopped) return;
    this.#noteLeadership();
    this.#noteExpulsion();
    this.#conditions.look();
    if (this.#wantsKeys()) this.#beatSoon();
    this.nudge();
  }

  /** Stops for good; resolves once nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#end();
    const { session, snapshots, log } = this.#parts;
    await Promise.all([this.#beating, this.#working, snapshots.idle()]);
    try {
      await session.release();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      log.warn("cannot end the lease, the others wait for its end", { error: error.message });
    }
  }

  /** Stops because what is in etcd makes no sense, and says so once. */
  fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#end();
    this.#parts.onFatal(error);
  }

  #end(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelBeat();
    this.#cancelExpiry();
    this.#parts.watch.close();
    this.#parts.tail.close();
    for (const { reject } of this.#proposals.writing) reject(lostLeadership("the proposal"));
    for (const { reject } of this.#proposals.takeQueued()) reject(logClosed("propose"));
    this.#reads.rejectAll(() => logClosed("read"));
    this.#conditions.endAll();
    const { term } = this.leadership.current;
    this.leadership.set({ leaderRaftId: undefined, isLeader: false, term });
    this.#wake();
  }

  #beatSoon(): void {
    if (this.#isStopped || this.#beating !== undefined) return;
    this.#cancelBeat();
    this.#beating = this.#beat().finally(() => {
      this.#beating = undefined;
      if (this.#isStopped) return;
      const delayMs = this.#isFailing ? RETRY_MS : BEAT_MS;
      this.#cancelBeat = this.#parts.clock.after(delayMs, () => this.#beatSoon());
    });
  }

  async #beat(): Promise<void> {
    const { session, watch, log } = this.#parts;
    this.#conditions.tick();
    try {
      await session.keep();
      await watch.look();
      if (!this.#isStopped) await session.claim();
      if (this.#isFailing) log.info("etcd answers again");
      this.#isFailing = false;
    } catch (error) {
      if (!(error instanceof ClusterError)) this.fail(error);
      else if (!this.#isFailing && !this.#isStopped) {
        log.warn("etcd does not serve us", { error: error.message });
      }
      this.#isFailing = true;
    }
    this.noteChange();
  }

  /** Whether a key of ours is due: not to wait for the next beat makes a newcomer quick. */
  #wantsKeys(): boolean {
    const { view, raftId, session, clock, tail } = this.#parts;
    if (!tail.hasCaughtUp || session.validUntilMs <= clock.monotonicMs()) return false;
    const { present, members } = view.meta;
    const isMissed = !present.has(raftId) && !members.removed.includes(raftId);
    return isMissed || session.wantsToLead;
  }

  #noteLeadership(): void {
    const { view, session, raftId, clock, log } = this.#parts;
    const [leader] = view.meta.candidates;
    const leftMs = session.validUntilMs - clock.monotonicMs();
    const isOurs = leader?.raftId === raftId;
    const isLeader = isOurs && leftMs > 0 && leader.term === session.term && !this.#isHandingOver;
    const before = this.leadership.current;
    const isKnown = leftMs > 0 && (isLeader || !isOurs);
    const term = leader?.term ?? before.term;
    this.#cancelExpiry();
    if (isLeader) this.#cancelExpiry = this.#parts.clock.after(leftMs, () => this.noteChange());
    if (before.isLeader && (!isLeader || term !== before.term)) this.#resign();
    this.leadership.set({ leaderRaftId: isKnown ? leader?.raftId : undefined, isLeader, term });
    if (before.isLeader !== isLeader) {
      log.info(isLeader ? "became the leader" : "is no longer the leader", { term });
    }
  }

  #noteExpulsion(): void {
    if (this.#isExpelled || !this.members.removed.includes(this.#parts.raftId)) return;
    this.#isExpelled = true;
    this.#parts.onExpelled();
  }

  /** What is being written settles itself: it knows best what became of it. */
  #resign(): void {
    for (const { reject } of this.#proposals.takeQueued()) reject(notLeader("propose", undefined));
    this.#reads.rejectAll(() => lostLeadership("the read"));
  }

  /** One question for all who ask in the same turn. */
  async #askReads(term: number): Promise<void> {
    const { kv, keys, raftId, view } = this.#parts;
    await Promise.resolve();
    const context = this.#reads.ask();
    if (context === undefined) return;
    const fence = { key: keys.candidate(raftId), createRevision: term };
    try {
      const { held, found } = await kv.txn({ when: [fence], act: [{ get: keys.head }] });
      const [head] = found[0] ?? [];
      if (!held || head === undefined) throw lostLeadership("the read");
      view.apply({ kind: "put", entry: head });
      this.#reads.confirm(context, EtcdHead.decode(head.value).index);
      this.nudge();
    } catch (error) {
      if (!(error instanceof ClusterError)) this.fail(error);
      else this.#reads.reject(context, error);
    }
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      this.#isNudged = false;
      try {
        if (await this.#step()) continue;
      } catch (error) {
        if (!(error instanceof ClusterError) || error.code === "DataLoss") return this.fail(error);
        await pause(this.#parts.clock, RETRY_MS);
        continue;
      }
      if (this.#isNudged || this.#isStopped) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** @returns whether there may be more to do. */
  async #step(): Promise<boolean> {
    const { view, tail, watch } = this.#parts;
    const { head } = view.meta;
    if (head === undefined) return false;
    if (head.index < tail.index) throw wentBack(tail.index, head.index);
    if (!tail.isAtHead) {
      if (await tail.advance()) return true;
      await watch.look();
      return true;
    }
    if (tail.noteCaughtUp()) this.noteChange();
    this.#reads.serve(tail.index);
    this.#maybeSaveSnapshot();
    const { isLeader, term } = this.leadership.current;
    if (!isLeader || this.#proposals.isEmpty) return false;
    await this.#commit(term, head);
    return true;
  }

  async #commit(term: number, head: Head): Promise<void> {
    const { watch } = this.#parts;
    const proposals = this.#proposals.begin();
    const isLeading = (ofTerm: number): boolean => {
      const { isLeader, term: current } = this.leadership.current;
      return isLeader && current === ofTerm;
    };
    const entries = proposals.map(({ data }) => data);
    this.#sequence++;
    const batch = { entries, term, sequence: this.#sequence, head };
    const outcome = await commitRecord({ ...this.#parts, isLeading }, batch);
    if (this.#isStopped) return;
    if (outcome.kind === "moved") this.#proposals.putBack();
    else {
      this.#settle(proposals, outcome, head);
      this.#proposals.end();
    }
    // Where we were wrong about the log or about our leading it.
    if (outcome.kind !== "committed") await watch.look();
  }

  #settle(proposals: readonly Proposal[], outcome: Outcome, head: Head): void {
    if (outcome.kind !== "committed") {
      const error = errorOf(outcome);
      for (const { reject } of proposals) reject(error);
      return;
    }
    const { view, keys, tail } = this.#parts;
    const value = EtcdHead.encode({ index: head.index + proposals.length }).finish();
    const { revision: modRevision } = outcome;
    // Its own write, told before the watch does.
    view.apply({ kind: "put", entry: { key: keys.head, value, createRevision: 0, modRevision } });
    const entries = proposals.map(({ data }) => data);
    const results = tail.apply({ first: head.index + 1, entries });
    for (const [i, { resolve }] of proposals.entries()) resolve(results[i]);
  }

  #maybeSaveSnapshot(): void {
    const { snapshots, tail, stateMachine } = this.#parts;
    const { isLeader, term } = this.leadership.current;
    if (!isLeader || tail.index === 0) return;
    const parts = () => [...stateMachine.snapshot()];
    snapshots.maybeSave(tail.index, () => ({ index: tail.index, term, parts: parts() }));
  }
}

function errorOf(outcome: Exclude<Outcome, { kind: "committed" }>): ClusterError {
  if (outcome.kind === "refused") return outcome.error;
  return outcome.kind === "unknown" ? lostLeadership("the proposal") : replaced();
}

function wentBack(appliedIndex: number, headIndex: number): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot go on: the log in etcd ended at ${appliedIndex} and now ends at ${headIndex}; was etcd restored from a ` +
      "backup? start this manager again to go on from there",
    { details: { appliedIndex, headIndex } },
  );
}
