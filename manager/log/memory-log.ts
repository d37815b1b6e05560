import { ClusterError } from "../../core/errors.ts";
import { LeadershipCell } from "./leadership.ts";
import {
  checkAddition,
  checkRemoval,
  EMPTY_MEMBERS,
  findMember,
  type MemberTable,
  withMember,
  withoutMember,
} from "./members.ts";
import { checkEntrySize, checkQueueRoom, logClosed, notLeader } from "./proposal-errors.ts";
import type { Leadership, Member, ReplicatedLog, StateMachine } from "./replicated-log.ts";

interface Waiting {
  readonly data: Uint8Array;
  readonly resolve: (result: unknown) => void;
}

const SELF: Member = { raftId: 1, nodeId: "memory", addr: "memory:1" };

/**
 * The log of one process and no disk, for tests: it leads from the start and applies in the next microtask.
 *
 * Other members are names only. Leadership given to one of them stays there until `campaign()`.
 */
export class MemoryLog implements ReplicatedLog {
  readonly #stateMachine: StateMachine;
  readonly #self: Member;
  readonly #leadership = new LeadershipCell();
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #members: MemberTable;
  #appliedIndex = 0;
  #closed = false;

  constructor(stateMachine: StateMachine, options: { readonly self?: Member } = {}) {
    this.#stateMachine = stateMachine;
    this.#self = options.self ?? SELF;
    this.#members = withMember(EMPTY_MEMBERS, this.#self);
    this.campaign();
  }

  /** Takes leadership (back) in a new term. */
  campaign(): void {
    this.#lead(this.#self.raftId);
  }

  async propose(data: Uint8Array): Promise<unknown> {
    this.#mustLead("propose");
    checkEntrySize(data);
    checkQueueRoom(this.#waiting.length + 1, this.#waitingBytes + data.byteLength);
    return new Promise((resolve) => {
      this.#waiting.push({ data, resolve });
      this.#waitingBytes += data.byteLength;
      if (this.#waiting.length === 1) queueMicrotask(() => this.#apply());
    });
  }

  async readBarrier(): Promise<void> {
    this.#mustLead("read");
    // Queued behind everything proposed before, as nothing is committed that is not applied.
    await Promise.resolve();
  }

  leadership(): Leadership {
    return this.#leadership.current;
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    return this.#leadership.listen(listener);
  }

  members(): readonly Member[] {
    return this.#members.members;
  }

  removedIds(): readonly number[] {
    return this.#members.removed;
  }

  async addMember(member: Member): Promise<void> {
    this.#mustLead("add a manager");
    checkAddition(this.#members, member);
    this.#members = withMember(this.#members, { ...member, learner: false, reachable: true });
  }

  async removeMember(raftId: number): Promise<void> {
    this.#mustLead("remove a manager");
    checkRemoval(this.#members, raftId);
    if (raftId === this.#self.raftId) {
      await this.transferLeadership();
      this.#mustLead("remove this manager itself");
    }
    this.#members = withoutMember(this.#members, raftId);
  }

  async transferLeadership(): Promise<void> {
    this.#mustLead("hand over leadership");
    const heir = this.#members.members.find((member) => member.raftId !== this.#self.raftId);
    if (heir === undefined) {
      throw new ClusterError(
        "FailedPrecondition",
        "cannot hand over leadership: there is no other manager",
      );
    }
    this.#lead(heir.raftId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { term } = this.#leadership.current;
    this.#leadership.set({ leaderRaftId: undefined, isLeader: false, term });
  }

  #lead(leaderRaftId: number): void {
    const isLeader = leaderRaftId === this.#self.raftId;
    this.#leadership.set({ leaderRaftId, isLeader, term: this.#leadership.current.term + 1 });
  }

  #mustLead(action: string): void {
    if (this.#closed) throw logClosed(action);
    const { isLeader, leaderRaftId } = this.#leadership.current;
    if (!isLeader) throw notLeader(action, findMember(this.#members, leaderRaftId ?? 0));
  }

  /** A throw of the state machine leaves the microtask and stops the process, as its contract says. */
  #apply(): void {
    const batch = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    for (const { data, resolve } of batch) {
      this.#appliedIndex++;
      resolve(this.#stateMachine.apply(this.#appliedIndex, data));
    }
  }
}
