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

/** Must be durable before any message that speaks of it is sent. */
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
  readonly kind: "addLearner" | "addVoter" | "remove";
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
    | { readonly kind: "heartbeat"; readonly commit: number; readonly context: number }
    | { readonly kind: "heartbeatReply"; readonly context: number }
    | { readonly kind: "snapshot"; readonly snapshot: SnapshotMeta }
    | { readonly kind: "timeoutNow" }
  );

/**
 * What the shell must now do, in this order: write `hardState` and `entries` durably; send `messages`; apply
 * `snapshot`, then `committed`; answer `reads`. A leader may send `append` messages while it writes.
 */
export interface Ready {
  /** Present when it changed. */
  readonly hardState: HardState | undefined;
  /** To append; an entry whose index exists replaces it and all after it. */
  readonly entries: readonly Entry[];
  /** A received snapshot to restore from; its parts came by the shell's own stream. */
  readonly snapshot: SnapshotMeta | undefined;
  readonly messages: readonly Message[];
  readonly committed: readonly Entry[];
  /** ReadIndex requests that may be served once `index` is applied. */
  readonly reads: readonly { readonly context: number; readonly index: number }[];
}
