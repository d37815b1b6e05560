import { ClusterError } from "../../core/errors.ts";
import type { Member } from "./replicated-log.ts";

/**
 * Who takes part, who once did, and where each is found. Immutable: every change returns a new table.
 *
 * Invariant: `members` and `removed` share no raftId; `members` is ordered by raftId.
 */
export interface MemberTable {
  readonly members: readonly Member[];
  /** Ids that may never come back: whoever had one forgot nothing, whoever takes it over remembers nothing. */
  readonly removed: readonly number[];
}

export const EMPTY_MEMBERS: MemberTable = { members: [], removed: [] };

/** Members of a group at most: each one more slows every commit; Docker advises 7. */
export const MEMBERS_MAX = 31;

/** Ids remembered of members that were removed; the oldest are forgotten first. They are chosen at random from 2^53. */
export const REMOVED_MAX = 10_000;

/** The member of this id, or undefined. */
export function findMember(table: MemberTable, raftId: number): Member | undefined {
  return table.members.find((member) => member.raftId === raftId);
}

/** Adds `member`, or replaces what is known of it: applying the same change twice changes nothing. */
export function withMember(table: MemberTable, member: Member): MemberTable {
  const others = table.members.filter((other) => other.raftId !== member.raftId);
  return {
    members: [...others, member].sort((a, b) => a.raftId - b.raftId),
    removed: table.removed,
  };
}

/** Takes a member out and remembers its id. */
export function withoutMember(table: MemberTable, raftId: number): MemberTable {
  return {
    members: table.members.filter((member) => member.raftId !== raftId),
    removed: table.removed.includes(raftId)
      ? table.removed
      : [...table.removed, raftId].slice(-REMOVED_MAX),
  };
}

/**
 * Whether `member` may join.
 *
 * @throws {ClusterError} `InvalidArgument` for an id that is none, `FailedPrecondition` when the id is or was a member
 * or the node is one under another id, `ResourceExhausted` past MEMBERS_MAX.
 */
export function checkAddition(table: MemberTable, member: Member): void {
  const { raftId, nodeId } = member;
  const refuse = (why: string): never => {
    const details = { raftId, nodeId };
    throw new ClusterError("FailedPrecondition", `cannot add manager ${nodeId}: ${why}`, {
      details,
    });
  };
  if (!Number.isSafeInteger(raftId) || raftId <= 0) {
    throw new ClusterError(
      "InvalidArgument",
      `cannot add manager ${nodeId}: ${raftId} is no raft id`,
    );
  }
  if (table.removed.includes(raftId)) {
    refuse(`raft id ${raftId} was removed; empty its data directory and join again`);
  }
  if (findMember(table, raftId) !== undefined) refuse(`raft id ${raftId} is a member already`);
  const known = table.members.find((other) => other.nodeId === nodeId);
  if (known !== undefined) refuse(`it is a member already, with raft id ${known.raftId}`);
  if (table.members.length >= MEMBERS_MAX) {
    throw new ClusterError(
      "ResourceExhausted",
      `cannot add manager ${nodeId}: the group has ${MEMBERS_MAX} members, the most it may have`,
    );
  }
}

/**
 * Whether the voters left would still decide anything.
 *
 * @param action what is about to be done to it: "remove", "demote".
 * @param reachable ids of the members that answer now.
 * @param nameOf what people call a node.
 * @throws {ClusterError} `FailedPrecondition` with the arithmetic when fewer than a majority of them answer.
 */
export function checkQuorumWithout(
  action: string,
  table: MemberTable,
  raftId: number,
  reachable: ReadonlySet<number>,
  nameOf: (nodeId: string) => string = (nodeId) => nodeId,
): void {
  const voters = table.members.filter((member) => !member.learner);
  const left = voters.filter((member) => member.raftId !== raftId);
  const answering = left.filter((member) => reachable.has(member.raftId)).length;
  const needed = Math.floor(left.length / 2) + 1;
  const nameOfMember = ({ nodeId }: Member) => nameOf(nodeId);
  if (answering >= needed) return;
  const name = nameOf(findMember(table, raftId)?.nodeId ?? String(raftId));
  const now = voters.filter((member) => reachable.has(member.raftId)).length;
  const silent = left.filter((member) => !reachable.has(member.raftId)).map(nameOfMember);
  throw new ClusterError(
    "FailedPrecondition",
    `cannot ${action} manager ${name}: of ${voters.length} managers ${now} answer; without it ${answering} of ` +
      `${left.length} would answer and ${needed} are needed; bring ${silent[0]} back or ${action} it first, ` +
      "or use --force",
    { details: { raftId, left: left.length, answering, needed } },
  );
}

/**
 * Whether a member may go.
 *
 * @throws {ClusterError} `NotFound` when it is no member, `FailedPrecondition` when it is the last voter.
 */
export function checkRemoval(table: MemberTable, raftId: number): void {
  const member = findMember(table, raftId);
  if (member === undefined) {
    throw new ClusterError("NotFound", `cannot remove manager: no member has raft id ${raftId}`, {
      details: { raftId },
    });
  }
  const otherVoters = table.members.filter((other) => !other.learner && other.raftId !== raftId);
  if (otherVoters.length === 0) {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot remove manager ${member.nodeId}: it is the last one, and the cluster's state would go with it`,
      { details: { raftId } },
    );
  }
}
