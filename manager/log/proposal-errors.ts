import { unreachable } from "../../core/assert.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Refusal } from "../../raft-ts/types.ts";
import { findMember, type MemberTable } from "./members.ts";
import { ENTRY_BYTES_MAX, type Member } from "./replicated-log.ts";

/** Proposals waiting for their outcome at most; past it callers must slow down. */
export const PROPOSALS_MAX = 16_384;
/** Bytes of all of them together at most. */
export const PROPOSAL_BYTES_MAX = 64 * 1024 * 1024;

/** @throws {ClusterError} `InvalidArgument` when `data` is empty, `ResourceExhausted` when it is too large for one entry. */
export function checkEntrySize(data: Uint8Array): void {
  if (data.byteLength === 0) {
    throw new ClusterError("InvalidArgument", "cannot propose: the entry is empty");
  }
  if (data.byteLength <= ENTRY_BYTES_MAX) return;
  throw new ClusterError(
    "ResourceExhausted",
    `cannot propose ${data.byteLength} bytes: an entry holds at most ${ENTRY_BYTES_MAX}; split the transaction`,
  );
}

/** @throws {ClusterError} `ResourceExhausted` when `count` proposals of `bytes` in all are too many to wait. */
export function checkQueueRoom(count: number, bytes: number): void {
  if (count <= PROPOSALS_MAX && bytes <= PROPOSAL_BYTES_MAX) return;
  throw new ClusterError(
    "ResourceExhausted",
    "cannot propose: too many proposals wait for a majority of managers; try again later",
    { details: { waiting: count, waitingBytes: bytes } },
  );
}

/** What a caller gets from a member that does not lead: where to go instead. */
export function notLeader(action: string, leader: Member | undefined): ClusterError {
  if (leader === undefined) {
    return new ClusterError("Unavailable", `cannot ${action}: no manager leads at the moment`);
  }
  return new ClusterError(
    "Unavailable",
    `cannot ${action}: this manager is not the leader, ${leader.addr} is`,
    { details: { leader: leader.addr, leaderRaftId: leader.raftId, leaderNodeId: leader.nodeId } },
  );
}

/** What a caller gets for raft's refusal. */
export function refused(action: string, refusal: Refusal, members: MemberTable): ClusterError {
  switch (refusal.reason) {
    case "notLeader":
      return notLeader(action, findMember(members, refusal.leader));
    case "transferring":
      return new ClusterError("Unavailable", `cannot ${action}: leadership is being handed over`);
    case "backlog":
      return new ClusterError(
        "ResourceExhausted",
        `cannot ${action}: too much waits for a majority of managers; try again later`,
      );
    case "confChangePending":
      return new ClusterError(
        "FailedPrecondition",
        `cannot ${action}: another change of the managers is under way; try again`,
      );
    case "invalid":
      return new ClusterError("FailedPrecondition", `cannot ${action}: ${refusal.detail}`);
    default:
      return unreachable(refusal);
  }
}

/** What a caller gets when leadership went before the outcome was known. */
export function lostLeadership(action: string): ClusterError {
  return new ClusterError(
    "Unavailable",
    `cannot tell whether ${action} happened: leadership was lost while it was under way`,
    { details: { outcomeUnknown: true } },
  );
}

/** What a caller gets from a log that was closed. */
export function logClosed(action: string): ClusterError {
  return new ClusterError("Unavailable", `cannot ${action}: this manager is stopping`);
}

/** What a caller gets whose entry another leader's took the place of. */
export function replaced(): ClusterError {
  return new ClusterError(
    "Unavailable",
    "cannot propose: another leader replaced the entry; it was not applied, propose again",
    { details: { outcomeUnknown: false } },
  );
}
