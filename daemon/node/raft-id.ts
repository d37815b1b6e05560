import type { Random } from "../../core/random.ts";

/** Raft ids are drawn below 2^48: as numbers exact, and two of a swarm never alike. */
const RAFT_ID_LIMIT = 2 ** 48;

/** An id never used before. Never 0: that means none. */
export function drawRaftId(random: Random): number {
  return 1 + Math.floor(random.next() * (RAFT_ID_LIMIT - 1));
}
