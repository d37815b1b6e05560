import { recordVote } from "./election.ts";
import type { CandidateRole, Raft } from "./raft.ts";
import { stepFollower } from "./step-follower.ts";
import type { Message } from "./types.ts";

/** A candidate collects votes, until it hears that another was elected in its term. Source: Raft paper §5.2. */
export function stepCandidate(raft: Raft, role: CandidateRole, message: Message): void {
  switch (message.kind) {
    case "append":
    case "heartbeat":
    case "snapshot":
      raft.becomeFollower(raft.term, message.from);
      stepFollower(raft, message);
      return;
    case "voteReply":
      if (role.name === "candidate") recordVote(raft, message.from, message.granted);
      return;
    case "preVoteReply":
      if (role.name === "preCandidate") recordVote(raft, message.from, message.granted);
      return;
    default:
      return;
  }
}
