import { assert } from "./assert.ts";
import { RaftLog } from "./log.ts";
import { EMPTY_CONF, isVoter } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import type { Progress } from "./progress.ts";
import type { ReadQueue } from "./read-queue.ts";
import type {
  ConfState,
  HardState,
  LeaseOptions,
  Message,
  RaftId,
  RaftOptions,
  ReadState,
  StoredState,
} from "./types.ts";

const DEFAULT_LIMITS = {
  appendBytesMax: 1024 * 1024,
  inflightMax: 256,
  inflightBytesMax: 16 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  committedBytesMax: 4 * 1024 * 1024,
  readsMax: 65_536,
};

/** What only a leader knows; a new one for each time it leads. */
export interface LeaderRole {
  readonly name: "leader";
  /** Everybody entries are sent to, itself included. */
  readonly peers: Map<RaftId, Progress>;
  readonly reads: ReadQueue;
  heartbeatElapsed: number;
  /** Entry bytes in the log above `commit`. */
  uncommittedBytes: number;
  transfer: { readonly to: RaftId; elapsed: number; told: boolean } | undefined;
  /** Of a leader that was removed: the entry whose commit ends its leadership. */
  farewellIndex: number | undefined;
  /** It told another to stand for election at once. */
  hasLetGo: boolean;
}

/** What a candidate collects. */
export interface CandidateRole {
  readonly name: "preCandidate" | "candidate";
  readonly votes: Map<RaftId, boolean>;
}

/** Exactly what the present role needs, and nothing that outlives it. */
export type RoleState = { readonly name: "follower" } | CandidateRole | LeaderRole;

/** The state all roles share, and the moves that keep it consistent. The rules are in the step files. */
export class Raft {
  readonly id: RaftId;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly lazyCommit: boolean;
  readonly lease: LeaseOptions | undefined;
  readonly limits: typeof DEFAULT_LIMITS;
  readonly log: RaftLog;
  readonly outbox = new Outbox();
  readonly #random: () => number;

  #term: number;
  #vote: RaftId;
  #leader: RaftId = 0;
  role: RoleState = { name: "follower" };

  #conf: ConfState;
  /** Index of the entry or snapshot that `#conf` came with. */
  #confIndex: number;
  /** It was a voter, and this is its removal. */
  #isRetired = false;

  /** Ticks since a leader was heard or a vote given; of a leader: since its last quorum check. */
  electionElapsed = 0;
  #electionTimeout = 0;
  /** Ticks since a leader was heard in any term, or the start: what was heard before a crash is not known. */
  #heardElapsed = 0;

  /** Answers for the next Ready. */
  reads: ReadState[] = [];
  lostReads: number[] = [];

  constructor(options: RaftOptions, stored: StoredState) {
    this.id = options.id;
    this.electionTicks = options.electionTicks;
    this.heartbeatTicks = options.heartbeatTicks;
    this.lazyCommit = options.lazyCommit === true;
    this.lease = options.lease;
    this.limits = { ...DEFAULT_LIMITS, ...options };
    this.#random = options.random;
    this.log = new RaftLog(stored);
    // A snapshot may be ahead of the hard state it was written beside; in such a term no vote was given.
    const { term, vote } = stored.hardState;
    this.#term = Math.max(term, this.log.last.term);
    this.#vote = this.#term === term ? vote : 0;
    this.#conf = stored.snapshot?.confState ?? EMPTY_CONF;
    this.#confIndex = stored.snapshot?.index ?? 0;
    this.resetElectionTimer();
  }

  get term(): number {
    return this.#term;
  }

  get vote(): RaftId {
    return this.#vote;
  }

  /** 0 while none is known. */
  get leader(): RaftId {
    return this.#leader;
  }

  get hardState(): HardState {
    return { term: this.#term, vote: this.#vote, commit: this.log.commit };
  }

  /** Who takes part, as applied here. */
  get conf(): ConfState {
    return this.#conf;
  }

  /** Index of the entry or snapshot that {@link conf} came with. */
  get confIndex(): number {
    return this.#confIndex;
  }

  /** `conf` is in effect, by what was applied at `index`. */
  setConf(conf: ConfState, index: number): void {
    this.#isRetired ||= isVoter(this.#conf, this.id);
    if (isVoter(conf, this.id)) this.#isRetired = false;
    this.#conf = conf;
    this.#confIndex = index;
  }

  /**
   * Whether it may stand for election: a voter that has applied every membership change it knows to be committed; or one
   * that was removed and has entries after its removal, since then nobody who lacks them would get its vote, and who
   * has not heard that the removal is committed may still need it. Source: thesis §4.2.2.
   */
  get isPromotable(): boolean {
    const confAhead = (this.log.firstUnappliedConf ?? Number.POSITIVE_INFINITY) <= this.log.commit;
    if (confAhead || this.log.isRestoring) return false;
    if (isVoter(this.#conf, this.id)) return true;
    return this.#isRetired && this.log.last.index > this.#confIndex;
  }

  /** A leader was heard within the shortest election timeout, so nobody needs another. Source: thesis §4.2.3. */
  get hearsLeader(): boolean {
    return this.#leader !== 0 && this.electionElapsed < this.electionTicks;
  }

  /**
   * Of a group with leases: some leader may count on this member's answer and serve reads by it, so it must help nobody else
   * to lead. Neither a higher term nor a crash ends that, only time.
   */
  get isPromised(): boolean {
    return this.lease !== undefined && this.#heardElapsed < this.electionTicks;
  }

  get isElectionDue(): boolean {
    return this.electionElapsed >= this.#electionTimeout;
  }

  /** One unit of time has passed. */
  elapse(): void {
    this.electionElapsed += 1;
    this.#heardElapsed += 1;
  }

  send(message: Message): void {
    this.outbox.send(message);
  }

  /** Follows `leader` (0: whoever it turns out to be) in `term`. */
  becomeFollower(term: number, leader: RaftId): void {
    if (this.role.name === "leader") this.lostReads.push(...this.role.reads.abandoned());
    if (term > this.#term) {
      this.#term = term;
      this.#vote = 0;
    }
    this.role = { name: "follower" };
    this.#leader = leader;
    this.resetElectionTimer();
  }

  /** The same term, and the vote in it untouched: asking whether one would be elected promises nothing. */
  becomePreCandidate(): void {
    this.role = { name: "preCandidate", votes: new Map() };
    this.#leader = 0;
    this.resetElectionTimer();
  }

  becomeCandidate(): void {
    this.#term += 1;
    this.#vote = this.id;
    this.role = { name: "candidate", votes: new Map() };
    this.#leader = 0;
    this.resetElectionTimer();
  }

  /** Of the present term. */
  becomeLeader(role: LeaderRole): void {
    assert(this.role.name === "candidate", `${this.role.name} became leader without an election`);
    this.role = role;
    this.#leader = this.id;
    this.resetElectionTimer();
  }

  /** It was removed and led on; now those who remain know that, and nobody needs it any more. */
  retire(): void {
    this.#isRetired = false;
    this.becomeFollower(this.#term, 0);
  }

  /** Follows a leader heard in the present term. */
  heardLeader(leader: RaftId): void {
    this.#heardElapsed = 0;
    if (this.role.name === "follower") {
      this.#leader = leader;
      this.electionElapsed = 0;
    } else {
      this.becomeFollower(this.#term, leader);
    }
  }

  giveVote(to: RaftId): void {
    assert(
      this.#vote === 0 || this.#vote === to,
      `second vote in term ${this.#term}: for ${this.#vote}, then for ${to}`,
    );
    this.#vote = to;
    this.electionElapsed = 0;
  }

  /** Source: Raft paper §5.2, randomized election timeouts. */
  resetElectionTimer(): void {
    this.electionElapsed = 0;
    this.#electionTimeout = this.electionTicks + Math.floor(this.#random() * this.electionTicks);
  }
}
