/** What travels, what is stored and what the shell must do. Names as in the Raft paper and etcd-io/raft. */

/** Of a member; a positive safe integer, never used twice in a group's life. 0 means none. */
export type RaftId = number;

export type EntryKind = "normal" | "confChange";

export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  /** Opaque for `normal` (empty: a new leader's first entry); an encoded ConfChange for `confChange`. */
  readonly data: Uint8Array;
}

/** Must be durable before any message that speaks of it is sent; RaftNode sees to that, see {@link Ready}. */
export interface HardState {
  readonly term: number;
  /** Whom we voted for in `term`; 0: nobody. */
  readonly vote: RaftId;
  readonly commit: number;
}

/** Who takes part. `votersOutgoing` is non-empty only inside a joint configuration. */
export interface ConfState {
  readonly voters: readonly RaftId[];
  readonly votersOutgoing: readonly RaftId[];
  readonly learners: readonly RaftId[];
}

export interface SnapshotMeta {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

export interface ConfChange {
  /** `update` changes nobody's part: its `context` is all it brings. */
  readonly kind: "addLearner" | "addVoter" | "remove" | "update";
  readonly raftId: RaftId;
  /** Travels with the change, for the shell (the member's address). */
  readonly context: Uint8Array;
}

interface Envelope {
  readonly from: RaftId;
  readonly to: RaftId;
  readonly term: number;
}

export type Message = Envelope &
  (
    | {
        readonly kind: "preVote" | "vote";
        readonly lastIndex: number;
        readonly lastTerm: number;
        readonly force: boolean;
      }
    | { readonly kind: "preVoteReply" | "voteReply"; readonly granted: boolean }
    | {
        readonly kind: "append";
        readonly prevIndex: number;
        readonly prevTerm: number;
        readonly entries: readonly Entry[];
        readonly commit: number;
      }
    | {
        readonly kind: "appendReply";
        readonly accepted: boolean;
        /** Accepted: last index now known equal. Refused: the refused prevIndex. */
        readonly index: number;
        /** Refused: where the follower suggests to go on. */
        readonly hintIndex: number;
        readonly hintTerm: number;
      }
    | {
        readonly kind: "heartbeat";
        readonly commit: number;
        readonly context: number;
        /** By the leader's clock, see {@link LeaseOptions}; 0: it grants itself no leases. */
        readonly sentAt: number;
      }
    /** `sentAt` is the heartbeat's. */
    | { readonly kind: "heartbeatReply"; readonly context: number; readonly sentAt: number }
    | { readonly kind: "snapshot"; readonly snapshot: SnapshotMeta }
    | { readonly kind: "timeoutNow" }
  );

/**
 * What the shell must now do. Every call of `takeReady` gives the next one; several may be under way at once.
 *
 * - Send `messages` at once, in any order: what must not be said before the disk has it is held back inside
 *   {@link RaftNode} and comes in a later Ready. So a leader replicates while it writes, and nobody can do it wrong.
 * - Write `snapshot`, `entries` and `hardState`, each Ready after the one before it, many in one flush if they queue. When
 *   that is durable call `stabledTo(ready.id)` (it speaks for every earlier Ready too), then `takeReady` again: only
 *   now does the node count its own disk and release its replies.
 * - Restore from `snapshot`, then apply `committed` in order; hand each `confChange` entry to `applyConfChange`; then
 *   `appliedTo(index)`, as often or seldom as convenient. This may run beside the write of the same Ready: what is
 *   committed is on the disks of a majority already. Not before an earlier Ready's `committed` was applied.
 * - Answer each of `reads` once its `index` is applied.
 */
export interface Ready {
  /** 1, 2, 3…; starts again with each RaftNode. */
  readonly id: number;
  /** Present when it changed. */
  readonly hardState: HardState | undefined;
  /** To append; an entry whose index exists replaces it and all after it. */
  readonly entries: readonly Entry[];
  /**
   * A received snapshot to restore from; its parts came by the shell's own stream. Replaces the whole stored log. A
   * `snapshot` message after which this stays absent was not needed: its parts may go.
   */
  readonly snapshot: SnapshotMeta | undefined;
  /** False: `hardState` moved in `commit` only, over no membership change, or nothing is to be written: no flush is owed. */
  readonly mustSync: boolean;
  readonly messages: readonly Message[];
  readonly committed: readonly Entry[];
  /** ReadIndex requests that may be served once `index` is applied. */
  readonly reads: readonly ReadState[];
  /** ReadIndex requests that will never be answered: leadership was lost. */
  readonly lostReads: readonly number[];
}

/** A read that may be served once `index` is applied. */
export interface ReadState {
  /** As given to `readIndex`. */
  readonly context: number;
  readonly index: number;
}

/** What a member reads back from its disk. A new member has nothing: see {@link emptyState}. */
export interface StoredState {
  /** `commit` may be ahead of a torn tail: it is then lowered to the last entry. */
  readonly hardState: HardState;
  /** The newest durable snapshot; the state machine must be at its index. */
  readonly snapshot: SnapshotMeta | undefined;
  /** Consecutive, the first at most `snapshot.index + 1` (1 without a snapshot). */
  readonly entries: readonly Entry[];
}

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** Why a request was not taken. Nothing happened; asking again later may succeed. */
export type Refusal =
  /** Ask `leader` (0: nobody is known). */
  | { readonly kind: "refused"; readonly reason: "notLeader"; readonly leader: RaftId }
  /** Leadership is being handed over, or this leader was removed and is about to go. */
  | { readonly kind: "refused"; readonly reason: "transferring" }
  /** Too much is proposed and not yet committed: wait for commits (`uncommittedBytesMax`), or too many reads wait. */
  | { readonly kind: "refused"; readonly reason: "backlog" }
  /** Another membership change is not yet applied, or may not be: nothing of this leader's term is committed yet. */
  | { readonly kind: "refused"; readonly reason: "confChangePending" }
  /** The change or transfer makes no sense in the present membership; `detail` says why. */
  | { readonly kind: "refused"; readonly reason: "invalid"; readonly detail: string };

/** Appended to the leader's log; committed if an entry with this index *and* term is ever in `committed`. */
export interface Proposed {
  readonly kind: "proposed";
  readonly index: number;
  readonly term: number;
}

/** The request was taken; its outcome shows later. */
export interface Accepted {
  readonly kind: "accepted";
}

/** How far a peer is, as the leader knows it. Invariant: `match < next`. */
export interface PeerStatus {
  readonly raftId: RaftId;
  readonly isLearner: boolean;
  /** `probe`: one append at a time; `replicate`: pipelined; `snapshot`: waiting for `reportSnapshot`. */
  readonly state: "probe" | "replicate" | "snapshot";
  readonly match: number;
  readonly next: number;
  /** Heard of within the last one to two election timeouts. */
  readonly recentActive: boolean;
}

/** Who leads, cheap to ask after each step. */
export interface Leadership {
  readonly role: Role;
  readonly term: number;
  /** 0 while none is known. */
  readonly leader: RaftId;
}

export interface Status extends Leadership {
  readonly id: RaftId;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly confState: ConfState;
  /** Whom leadership is being handed to; 0: nobody. */
  readonly transferee: RaftId;
  /** Empty unless leader; contains the leader itself. */
  readonly peers: readonly PeerStatus[];
}

/**
 * Reads by lease: while a leader holds one it answers reads at once, without a round of heartbeats. Every member of a group has
 * this option or none, since it makes followers promise more. Source: thesis §6.4.1.
 *
 * The price is an assumption about clocks. A leader's lease lasts `ticks` by its `now` after it sent a heartbeat that a quorum
 * answered; a follower votes for nobody during `electionTicks - 1` whole ticks of its own after it heard one. So reads are
 * linearizable as long as no member's ticks come `(electionTicks - 1) / ticks` times as fast as another's `now` goes, or more.
 */
export interface LeaseOptions {
  /** Of a monotonic clock, in ticks with fractions; above 0. It goes on while the process is stopped. */
  readonly now: () => number;
  /** More than 0, at most `electionTicks - 1`. A longer lease survives more lost heartbeats, and less drift. */
  readonly ticks: number;
}

export interface RaftOptions {
  readonly id: RaftId;
  /** Without a leader for `electionTicks` to twice that (anew at random each time) a voter asks for votes. */
  readonly electionTicks: number;
  /** Less than `electionTicks`. */
  readonly heartbeatTicks: number;
  /** Uniform in `[0, 1)`. */
  readonly random: () => number;
  /**
   * Peers hear of a commit with the next entries or the next heartbeat, not at once by a message of its own; of a
   * committed membership change always at once. Saves a message and its answer for each peer and commit. Default false.
   */
  readonly lazyCommit?: boolean;
  /** Default: none, every read asks a quorum. */
  readonly lease?: LeaseOptions;
  /** Entry bytes in one `append` (at least one entry goes). Default 1 MiB. */
  readonly appendBytesMax?: number;
  /** `append` messages under way to one peer. Default 256. */
  readonly inflightMax?: number;
  /** Entry bytes under way to one peer. Default 16 MiB. */
  readonly inflightBytesMax?: number;
  /** Entry bytes proposed and not yet committed before proposals are refused with `backlog`. Default 64 MiB. */
  readonly uncommittedBytesMax?: number;
  /** Entry bytes in one Ready's `committed` (at least one entry goes). Default 4 MiB. */
  readonly committedBytesMax?: number;
  /** Reads waiting for an answer before more are refused with `backlog`. Default 65,536. */
  readonly readsMax?: number;
}
