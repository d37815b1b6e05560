import { MESSAGE_BYTES_MAX } from "../../proto/limits.ts";

/**
 * The seam between the cluster's state and whatever keeps it safe (DESIGN D3): an ordered log of opaque entries that a
 * majority has on disk. Versions: `raft` (embedded), `etcd` (a cluster there is), `memory` (tests). All pass test/conformance.
 */
export interface ReplicatedLog {
  /**
   * Appends `data` and resolves with its result once it is committed and applied *here*.
   *
   * @throws {ClusterError} `Unavailable` when this member is not the leader or lost leadership before it knew the
   * outcome (the entry may still be applied); `ResourceExhausted` past ENTRY_BYTES_MAX or the queue's bound;
   * `InvalidArgument` when `data` is empty.
   */
  propose(data: Uint8Array): Promise<unknown>;
  /** Resolves when everything committed anywhere before the call is applied here. @throws {ClusterError} `Unavailable`. */
  readBarrier(): Promise<void>;
  leadership(): Leadership;
  /** Called on each change of `leadership()`, from a fresh stack; the returned function ends it. */
  onLeadership(listener: (leadership: Leadership) => void): () => void;
  members(): readonly Member[];
  /** Ids of those who were members once: none may ever be again. */
  removedIds(): readonly number[];
  /**
   * Adds a member: first as a learner, as a voter once it has caught up. Leader only.
   *
   * Changes queue behind each other. Adding a learner again goes on where the first call stopped.
   *
   * @throws {ClusterError} `FailedPrecondition` when the id is or was a member; `DeadlineExceeded` when it did not catch
   * up, and was taken out again.
   */
  addMember(member: Member): Promise<void>;
  /**
   * Leader only. Removing the leader itself hands over leadership and then throws `Unavailable` with the new leader in
   * its details: ask there.
   *
   * @param options.force even if too few of those left would answer: for one who goes anyway.
   * @throws {ClusterError} `FailedPrecondition` when it is the last voter or too few of those left would answer.
   */
  removeMember(raftId: number, options?: { readonly force?: boolean }): Promise<void>;
  /** Hands leadership to another voter; resolves when it is no longer ours. */
  transferLeadership(): Promise<void>;
  /** Stops taking part; what is on disk stays. Idempotent. */
  close(): Promise<void>;
}

/** A new leader may not have applied yet what earlier ones committed: `readBarrier` first, then decide. */
export interface Leadership {
  /** Undefined while no leader is known. */
  readonly leaderRaftId: number | undefined;
  readonly isLeader: boolean;
  readonly term: number;
}

export interface Member {
  readonly raftId: number;
  readonly nodeId: string;
  /** host:port of its gRPC server. A hint: who answers there proves itself by certificate. */
  readonly addr: string;
  readonly learner?: boolean;
  /** As the leader sees it; on other members the last known. */
  readonly reachable?: boolean;
}

/** What the log drives; one per manager process. Calls never overlap and never fail: a throw stops the process. */
export interface StateMachine {
  /** Applies one committed entry and returns what its proposer gets; must be deterministic. */
  apply(index: number, data: Uint8Array): unknown;
  /** The state after the last applied entry, as parts no larger than SNAPSHOT_PART_BYTES; taken before the next `apply`. */
  snapshot(): Iterable<Uint8Array>;
  /** Replaces the state by a snapshot's. */
  restore(index: number, parts: Iterable<Uint8Array>): void;
}

/** Bytes of one entry at most: with what goes around it, it fits into one message between managers. */
export const ENTRY_BYTES_MAX = MESSAGE_BYTES_MAX - 64 * 1024;
export const SNAPSHOT_PART_BYTES = 512 * 1024;
