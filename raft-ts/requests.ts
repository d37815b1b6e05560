import { encodeConfChanges } from "./conf-change-codec.ts";
import { entryBytes } from "./entry-list.ts";
import { holdsLease } from "./lease.ts";
import { objection } from "./membership.ts";
import type { LeaderRole, Raft } from "./raft.ts";
import { appendOwn, hasCommittedOwn } from "./replication.ts";
import type { Accepted, ConfChange, EntryKind, Proposed, RaftId, Refusal } from "./types.ts";

/** What clients ask of a leader: each is taken or refused at once, for a reason the caller can act on. */

export function propose(raft: Raft, data: Uint8Array): Proposed | Refusal {
  return append(raft, "normal", data);
}

export function proposeConfChange(raft: Raft, changes: readonly ConfChange[]): Proposed | Refusal {
  if (raft.role.name !== "leader") return notLeader(raft);
  // Before an own entry is committed, a change of an earlier leader may still be (thesis §4.1 and its erratum of 2015).
  if (!hasCommittedOwn(raft) || raft.log.firstUnappliedConf !== undefined) {
    return { kind: "refused", reason: "confChangePending" };
  }
  const detail = objection(raft.conf, changes) ?? objectionToOwnRemoval(raft, changes);
  if (detail !== undefined) return { kind: "refused", reason: "invalid", detail };
  return append(raft, "confChange", encodeConfChanges(changes));
}

export function readIndex(raft: Raft, context: number): Accepted | Refusal {
  const { role } = raft;
  if (role.name !== "leader") return notLeader(raft);
  if (hasCommittedOwn(raft) && holdsLease(raft, role)) {
    raft.reads.push({ context, index: raft.log.commit });
    return { kind: "accepted" };
  }
  if (role.reads.isFull) return { kind: "refused", reason: "backlog" };
  role.reads.add(context);
  return { kind: "accepted" };
}

/** Source: thesis §3.10. */
export function transferLeadership(raft: Raft, to: RaftId): Accepted | Refusal {
  const { role } = raft;
  if (role.name !== "leader") return notLeader(raft);
  if (isLeaving(role)) return { kind: "refused", reason: "transferring" };
  if (to === raft.id) return { kind: "refused", reason: "invalid", detail: "it leads already" };
  if (!raft.conf.voters.includes(to)) {
    return { kind: "refused", reason: "invalid", detail: `member ${to} is no voter` };
  }
  role.transfer = { to, elapsed: 0, told: false };
  return { kind: "accepted" };
}

function append(raft: Raft, kind: EntryKind, data: Uint8Array): Proposed | Refusal {
  const { role } = raft;
  if (role.name !== "leader") return notLeader(raft);
  if (isLeaving(role)) return { kind: "refused", reason: "transferring" };
  if (isBacklogged(raft, role, data)) return { kind: "refused", reason: "backlog" };
  const { index, term } = appendOwn(raft, role, kind, data);
  return { kind: "proposed", index, term };
}

/** A single entry larger than the limit passes when nothing else waits: else it never could. */
function isBacklogged(raft: Raft, { uncommittedBytes }: LeaderRole, data: Uint8Array): boolean {
  if (uncommittedBytes === 0) return false;
  const bytes = entryBytes({ index: 0, term: 0, kind: "normal", data });
  return uncommittedBytes + bytes > raft.limits.uncommittedBytesMax;
}

function isLeaving({ transfer, farewellIndex }: LeaderRole): boolean {
  return transfer !== undefined || farewellIndex !== undefined;
}

/** Were a leader that removes itself to crash before the others learn that it is gone, they would wait for its vote. */
function objectionToOwnRemoval(raft: Raft, changes: readonly ConfChange[]): string | undefined {
  const isOwn = changes.some(({ kind, raftId }) => kind === "remove" && raftId === raft.id);
  return isOwn ? "a leader does not remove itself: transfer leadership first" : undefined;
}

function notLeader(raft: Raft): Refusal {
  return { kind: "refused", reason: "notLeader", leader: raft.leader };
}
