import { jointVote } from "./quorum/joint.ts";
import type { LeaderRole, Raft } from "./raft.ts";

/**
 * Whether nobody else can lead now: a quorum heard this leader so lately that it still votes for nobody, see
 * {@link Raft.isPromised}. Counted from when the heartbeat was sent, since nobody knows when it arrived.
 *
 * A leader that told another to stand for election at once has none any more in its term: those votes are not held back,
 * and the word may arrive at any later time. Source: thesis §6.4.1, with §3.10.
 */
export function holdsLease(raft: Raft, { peers, hasLetGo }: LeaderRole): boolean {
  const { lease, conf, id: self } = raft;
  if (lease === undefined || hasLetGo) return false;
  const after = lease.now() - lease.ticks;
  return (
    jointVote(conf, (id) => id === self || (peers.get(id)?.heardAt ?? after) > after) === "won"
  );
}
