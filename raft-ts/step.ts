import { requestPreVote } from "./election.ts";
import type { Raft } from "./raft.ts";
import { stepCandidate } from "./step-candidate.ts";
import { stepFollower } from "./step-follower.ts";
import { stepLeader } from "./step-leader.ts";
import type { Message } from "./types.ts";

type VoteRequest = Extract<Message, { readonly kind: "preVote" | "vote" }>;

/** Takes in one message: first what its term says, whatever the role; then what the role makes of it. */
export function step(raft: Raft, message: Message): void {
  if (message.to !== raft.id) return;
  const isVoteRequest = message.kind === "preVote" || message.kind === "vote";
  if (isVoteRequest && isDisturbance(raft, message)) return;
  if (message.term > raft.term) adoptTerm(raft, message);
  if (isVoteRequest) answerVote(raft, message);
  else if (message.term < raft.term) answerOld(raft, message);
  else stepRole(raft, message);
}

/**
 * Who has a leader does not help to depose it, unless that leader asked for it. Source: Raft paper §6, last part; with
 * leases nobody is helped by who may be counted on, whatever the terms.
 */
function isDisturbance(raft: Raft, request: VoteRequest): boolean {
  if (request.force) return false;
  return raft.isPromised || (request.term > raft.term && raft.hearsLeader);
}

/** Source: Raft paper §5.1: a server that sees a higher term adopts it and is a follower. Pre-votes are no terms yet. */
function adoptTerm(raft: Raft, message: Message): void {
  if (message.kind === "preVote") return;
  if (message.kind === "preVoteReply" && message.granted) return;
  raft.becomeFollower(message.term, isFromLeader(message) ? message.from : 0);
}

function isFromLeader({ kind }: Message): boolean {
  return kind === "append" || kind === "heartbeat" || kind === "snapshot";
}

/**
 * One vote per term, first come first served, to who has all that may be committed.
 *
 * A learner answers too: it may have been made a voter and not know it yet.
 * Source: Raft paper §5.2, §5.4.1; thesis §9.6 for pre-votes.
 */
function answerVote(raft: Raft, request: VoteRequest): void {
  const { from: to, term, lastIndex, lastTerm } = request;
  const isCurrent = term >= raft.term;
  const isFree = raft.vote === to || (raft.vote === 0 && raft.leader === 0);
  const mayVote = isFree || (request.kind === "preVote" && term > raft.term);
  const granted = isCurrent && mayVote && raft.log.isUpToDate({ index: lastIndex, term: lastTerm });

  if (request.kind === "preVote") {
    answerPreVote(raft, request, granted);
    return;
  }
  if (granted) raft.giveVote(to);
  raft.send({ kind: "voteReply", from: raft.id, to, term: raft.term, granted });
}

/**
 * Of two that ask at once and have the same log the one with the lower id goes on: else each would have the other's word,
 * then vote for itself, and the votes would be split. It asks again, because the other may have missed its leader only now
 * and not have heard the question.
 */
function answerPreVote(raft: Raft, request: VoteRequest, wouldGrant: boolean): void {
  const { from: to, lastIndex, lastTerm } = request;
  const { index, term } = raft.log.last;
  const isEqual = lastIndex === index && lastTerm === term;
  const goesFirst = raft.role.name === "preCandidate" && isEqual && raft.id < to;
  const granted = wouldGrant && !goesFirst;
  const answerTerm = granted ? request.term : raft.term;
  raft.send({ kind: "preVoteReply", from: raft.id, to, term: answerTerm, granted });
  if (wouldGrant && goesFirst) requestPreVote(raft, to);
}

/**
 * Ignores a message of an earlier term, except that a deposed leader is told: with pre-votes nobody else would tell it,
 * and a member whose term is ahead of a healthy leader's would stay cut off for ever.
 */
function answerOld(raft: Raft, message: Message): void {
  if (!isFromLeader(message)) return;
  raft.send({
    kind: "appendReply",
    from: raft.id,
    to: message.from,
    term: raft.term,
    accepted: false,
    index: 0,
    hintIndex: 0,
    hintTerm: 0,
  });
}

function stepRole(raft: Raft, message: Message): void {
  const { role } = raft;
  switch (role.name) {
    case "leader":
      stepLeader(raft, role, message);
      return;
    case "preCandidate":
    case "candidate":
      stepCandidate(raft, role, message);
      return;
    case "follower":
      stepFollower(raft, message);
  }
}
