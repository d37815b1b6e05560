/** How a vote stands: `pending` while the missing answers can still decide it. */
export type VoteResult = "won" | "lost" | "pending";

/**
 * The greatest index that a majority of `voters` has acknowledged.
 *
 * Of no voters at all: infinity, so that an absent half of a joint configuration decides nothing.
 */
export function majorityIndex(
  voters: readonly number[],
  ackedIndex: (voter: number) => number,
): number {
  const acked = voters.map(ackedIndex).sort((a, b) => b - a);
  return acked[majority(voters) - 1] ?? Number.POSITIVE_INFINITY;
}

/** Whether a majority of `voters` said yes, can no longer say yes, or neither yet. No voters at all: won. */
export function majorityVote(
  voters: readonly number[],
  answer: (voter: number) => boolean | undefined,
): VoteResult {
  const needed = majority(voters);
  let yes = 0;
  let open = 0;
  for (const voter of voters) {
    const said = answer(voter);
    if (said === true) yes += 1;
    if (said === undefined) open += 1;
  }
  if (yes >= needed) return "won";
  return yes + open >= needed ? "pending" : "lost";
}

function majority(voters: readonly number[]): number {
  return voters.length === 0 ? 0 : Math.floor(voters.length / 2) + 1;
}
