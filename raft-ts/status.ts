import type { Raft } from "./raft.ts";
import type { PeerStatus, Status } from "./types.ts";

/** A copy of what an operator may want to know; made to be asked now and then, not after each step. */
export function describeStatus(raft: Raft): Status {
  const { log, role } = raft;
  return {
    id: raft.id,
    role: role.name,
    term: raft.term,
    leader: raft.leader,
    commit: log.commit,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: log.last.index,
    confState: raft.conf,
    transferee: role.name === "leader" ? (role.transfer?.to ?? 0) : 0,
    peers: describePeers(raft),
  };
}

function describePeers({ role, id, conf }: Raft): PeerStatus[] {
  if (role.name !== "leader") return [];
  return [...role.peers].map(([raftId, { state, match, next, recentActive }]) => ({
    raftId,
    isLearner: conf.learners.includes(raftId),
    state,
    match,
    next,
    recentActive: raftId === id || recentActive,
  }));
}
