import { campaign } from "./election.ts";
import { jointVote } from "./quorum/joint.ts";
import type { LeaderRole, Raft } from "./raft.ts";
import { broadcastHeartbeat } from "./replication.ts";

/** One unit of time has passed. */
export function tick(raft: Raft): void {
  raft.elapse();
  if (raft.role.name === "leader") tickLeader(raft, raft.role);
  else if (raft.isElectionDue) campaign(raft, "preVote");
}

function tickLeader(raft: Raft, leader: LeaderRole): void {
  if (raft.electionElapsed >= raft.electionTicks) {
    raft.electionElapsed = 0;
    if (!heardQuorum(raft, leader)) {
      raft.becomeFollower(raft.term, 0);
      return;
    }
  }
  giveUpTransfer(raft, leader);
  leader.heartbeatElapsed += 1;
  if (leader.heartbeatElapsed < raft.heartbeatTicks) return;
  leader.heartbeatElapsed = 0;
  broadcastHeartbeat(raft, leader);
}

/**
 * A leader that heard from no quorum for an election timeout steps down, so that its clients look elsewhere.
 * Source: thesis §6.2.
 */
function heardQuorum(raft: Raft, leader: LeaderRole): boolean {
  const heard = jointVote(
    raft.conf,
    (id) => id === raft.id || leader.peers.get(id)?.recentActive === true,
  );
  for (const peer of leader.peers.values()) peer.recentActive = false;
  return heard === "won";
}

/** Source: thesis §3.10: after an election timeout the leader takes requests again. */
function giveUpTransfer(raft: Raft, leader: LeaderRole): void {
  if (leader.transfer === undefined) return;
  leader.transfer.elapsed += 1;
  if (leader.transfer.elapsed >= raft.electionTicks) leader.transfer = undefined;
}
