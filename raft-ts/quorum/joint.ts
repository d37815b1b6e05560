import { majorityIndex, majorityVote, type VoteResult } from "./majority.ts";

/** Two groups of voters that must both agree; outside a membership change the second is empty. */
export interface JointVoters {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
}

/** The greatest index that majorities of both groups have acknowledged. Source: Raft paper §6, joint consensus. */
export function jointIndex(
  { voters, votersOutgoing }: JointVoters,
  ackedIndex: (voter: number) => number,
): number {
  return Math.min(majorityIndex(voters, ackedIndex), majorityIndex(votersOutgoing, ackedIndex));
}

/** Won when both groups are won, lost as soon as one is. */
export function jointVote(
  { voters, votersOutgoing }: JointVoters,
  answer: (voter: number) => boolean | undefined,
): VoteResult {
  const incoming = majorityVote(voters, answer);
  const outgoing = majorityVote(votersOutgoing, answer);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}
