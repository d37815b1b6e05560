import { assert } from "./assert.ts";
import type { LeaderRole, Raft } from "./raft.ts";
import { maybeCommit, maybeServeReads } from "./replication.ts";
import type { Message } from "./types.ts";

type AppendReply = Extract<Message, { readonly kind: "appendReply" }>;
type HeartbeatReply = Extract<Message, { readonly kind: "heartbeatReply" }>;

/** A leader learns from answers how far its peers are. What follows from it is sent by the next flush. */
export function stepLeader(raft: Raft, leader: LeaderRole, message: Message): void {
  switch (message.kind) {
    case "appendReply":
      onAppendReply(raft, leader, message);
      return;
    case "heartbeatReply":
      onHeartbeatReply(raft, leader, message);
      return;
    case "append":
    case "heartbeat":
    case "snapshot":
      assert(false, `two leaders in term ${raft.term}: ${raft.id} and ${message.from}`);
      return;
    default:
      return;
  }
}

function onAppendReply(raft: Raft, leader: LeaderRole, reply: AppendReply): void {
  const peer = leader.peers.get(reply.from);
  if (peer === undefined) return;
  peer.recentActive = true;
  if (!reply.accepted) {
    peer.refused(reply.index, raft.log.findAgreement(reply.hintIndex, reply.hintTerm));
    return;
  }
  assert(
    reply.index <= raft.log.last.index,
    `member ${reply.from} claims entry ${reply.index}, past the leader's last ${raft.log.last.index}`,
  );
  peer.accepted(reply.index, raft.log.firstIndex);
  maybeCommit(raft, leader);
}

function onHeartbeatReply(raft: Raft, leader: LeaderRole, reply: HeartbeatReply): void {
  const peer = leader.peers.get(reply.from);
  if (peer === undefined) return;
  peer.recentActive = true;
  peer.heartbeatAnswered(raft.log.last.index);
  peer.readRound = Math.max(peer.readRound, reply.context);
  // A member without leases repeats no time.
  if (reply.sentAt !== 0) peer.heardAt = Math.max(peer.heardAt, reply.sentAt);
  maybeServeReads(raft, leader);
}
