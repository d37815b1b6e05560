import { jointVote } from "./quorum/joint.ts";
import type { CandidateRole, Raft } from "./raft.ts";
import { becomeLeader } from "./replication.ts";
import type { RaftId } from "./types.ts";

/** How an election begins. `transfer`: at the leader's wish, so the lease of that same leader does not count. */
export type CampaignKind = "preVote" | "transfer";

/**
 * Stands for election. Asks first whether it would win (§9.6), so that a member that was cut off, and cannot win, does not
 * disturb those who have a leader by a higher term.
 */
export function campaign(raft: Raft, kind: CampaignKind): void {
  if (!raft.isPromotable || raft.role.name === "leader") return;
  if (kind === "transfer") {
    requestVotes(raft, { force: true });
    return;
  }
  if (raft.isPromised && voters(raft).length > 0) return;
  raft.becomePreCandidate();
  for (const to of voters(raft)) requestPreVote(raft, to);
  recordVote(raft, raft.id, true);
}

/** Asks `to` whether it would vote for this node in the next term. */
export function requestPreVote(raft: Raft, to: RaftId): void {
  request(raft, to, { kind: "preVote", term: raft.term + 1, force: false });
}

/** Source: Raft paper §5.2: a candidate increments its term, votes for itself, asks all others. */
function requestVotes(raft: Raft, { force }: { readonly force: boolean }): void {
  raft.becomeCandidate();
  for (const to of voters(raft)) request(raft, to, { kind: "vote", term: raft.term, force });
  // Its own vote counts when it is on its own disk: the outbox holds it until then.
  raft.send({ kind: "voteReply", from: raft.id, to: raft.id, term: raft.term, granted: true });
}

function request(
  raft: Raft,
  to: RaftId,
  what: { readonly kind: "preVote" | "vote"; readonly term: number; readonly force: boolean },
): void {
  const { index: lastIndex, term: lastTerm } = raft.log.last;
  raft.send({ ...what, from: raft.id, to, lastIndex, lastTerm });
}

/** All others that vote. */
function voters({ id, conf }: Raft): RaftId[] {
  const all = new Set([...conf.voters, ...conf.votersOutgoing]);
  return [...all].filter((voter) => voter !== id);
}

/** Takes one answer in; the first of each member counts. Moves on when the vote is decided. */
export function recordVote(raft: Raft, from: RaftId, granted: boolean): void {
  const { role } = raft;
  if (role.name !== "candidate" && role.name !== "preCandidate") return;
  if (!role.votes.has(from)) role.votes.set(from, granted);
  decide(raft, role);
}

function decide(raft: Raft, role: CandidateRole): void {
  switch (jointVote(raft.conf, (id) => role.votes.get(id))) {
    case "pending":
      return;
    case "lost":
      raft.becomeFollower(raft.term, 0);
      return;
    case "won":
      if (role.name === "preCandidate") requestVotes(raft, { force: false });
      else becomeLeader(raft);
  }
}
