import { assert } from "./assert.ts";
import { entryBytes } from "./entry-list.ts";
import { isVoter, memberIds } from "./membership.ts";
import { Progress } from "./progress.ts";
import { jointIndex } from "./quorum/joint.ts";
import type { LeaderRole, Raft } from "./raft.ts";
import { ReadQueue } from "./read-queue.ts";
import type { Entry, EntryKind, RaftId } from "./types.ts";

const NO_DATA = new Uint8Array(0);

/**
 * Begins to lead: knows nothing of the peers yet, and appends an empty entry, since only an entry of its own term can
 * prove by counting that the earlier ones are committed. Source: Raft paper §5.4.2, §8.
 */
export function becomeLeader(raft: Raft): void {
  const leader: LeaderRole = {
    name: "leader",
    peers: new Map(),
    reads: new ReadQueue(raft.limits.readsMax),
    heartbeatElapsed: 0,
    uncommittedBytes: sumBytes(raft.log.uncommitted()),
    transfer: undefined,
    farewellIndex: undefined,
    hasLetGo: false,
  };
  raft.becomeLeader(leader);
  syncPeers(raft, leader);
  appendOwn(raft, leader, "normal", NO_DATA);
  if (!isVoter(raft.conf, raft.id)) bidFarewell(raft, leader);
}

/**
 * A leader that is no longer a member leads on, without counting itself, until a majority of those who remain know it.
 * They do once they have one more entry, because the append that brings it says that the removal is committed. Left
 * earlier, they might still wait for the vote of the one who is gone. Source: Raft paper §6; thesis §4.2.2.
 */
export function bidFarewell(raft: Raft, leader: LeaderRole): void {
  leader.farewellIndex ??= appendOwn(raft, leader, "normal", NO_DATA).index;
}

/** Appends one entry of the leader's own term. It is replicated, with all that follow, by the next {@link flush}. */
export function appendOwn(
  raft: Raft,
  leader: LeaderRole,
  kind: EntryKind,
  data: Uint8Array,
): Entry {
  const entry: Entry = { index: raft.log.last.index + 1, term: raft.term, kind, data };
  raft.log.append([entry]);
  leader.uncommittedBytes += entryBytes(entry);
  return entry;
}

/**
 * Commits what a quorum has, if it is of this term; everything before it is then committed too.
 *
 * Source: Raft paper §5.4.2: entries of earlier terms are never committed by counting replicas.
 */
export function maybeCommit(raft: Raft, leader: LeaderRole): void {
  const index = jointIndex(raft.conf, (id) => leader.peers.get(id)?.match ?? 0);
  if (index <= raft.log.commit || raft.log.term(index) !== raft.term) return;
  leader.uncommittedBytes -= sumBytes(raft.log.commitTo(index));
  assert(leader.uncommittedBytes >= 0, "more bytes were committed than appended");
  if (index >= (leader.farewellIndex ?? Number.POSITIVE_INFINITY)) raft.retire();
}

/** Whether an entry of this term is committed: before that a leader does not know what is. */
export function hasCommittedOwn(raft: Raft): boolean {
  return raft.log.term(raft.log.commit) === raft.term;
}

/** Sends whatever is due: all that was appended since the last time goes in as few messages as limits allow. */
export function flush(raft: Raft, leader: LeaderRole): void {
  if (hasCommittedOwn(raft) && leader.reads.maybeBeginRound(raft.log.commit)) {
    broadcastHeartbeat(raft, leader);
    maybeServeReads(raft, leader);
  }
  const commit = urgentCommit(raft);
  for (const [id, peer] of leader.peers) {
    if (id === raft.id) continue;
    while (peer.wantsAppend(raft.log.last.index, commit)) {
      if (!sendAppend(raft, id, peer)) break;
    }
  }
  tellTransferee(raft, leader);
}

/**
 * The commit index that is worth a message of its own. One that commits a membership change always is: who is removed
 * by it gets no heartbeat once it is applied.
 */
function urgentCommit({ log, lazyCommit }: Raft): number {
  if (!lazyCommit) return log.commit;
  return (log.firstUnappliedConf ?? Number.POSITIVE_INFINITY) <= log.commit ? log.commit : 0;
}

/** @returns false when nothing could be sent. */
function sendAppend(raft: Raft, to: RaftId, peer: Progress): boolean {
  const { id: from, term, log } = raft;
  const prevIndex = peer.next - 1;
  const prevTerm = log.term(prevIndex);
  if (prevTerm === undefined) return sendSnapshot(raft, to, peer);

  const entries = peer.mayCarryEntries ? log.slice(peer.next, raft.limits.appendBytesMax) : [];
  raft.send({
    kind: "append",
    from,
    to,
    term,
    prevIndex,
    prevTerm,
    entries,
    commit: log.commit,
  });
  peer.sentAppend(entries.length, sumBytes(entries), log.commit);
  return true;
}

/** A peer that is not there would only keep the transfer hanging. */
function sendSnapshot(raft: Raft, to: RaftId, peer: Progress): boolean {
  if (!peer.recentActive) return false;
  const { id: from, term } = raft;
  const { snapshot } = raft.log;
  assert(snapshot !== undefined, `entry ${peer.next} is forgotten but there is no snapshot`);
  raft.send({ kind: "snapshot", from, to, term, snapshot });
  peer.sentSnapshot(snapshot.index);
  return true;
}

/** Commit travels no further than the peer's log is known to agree. */
export function broadcastHeartbeat(raft: Raft, leader: LeaderRole): void {
  const { id: from, term } = raft;
  const context = leader.reads.round;
  const sentAt = raft.lease?.now() ?? 0;
  for (const [to, peer] of leader.peers) {
    if (to === raft.id) continue;
    const commit = Math.min(peer.match, raft.log.commit);
    raft.send({ kind: "heartbeat", from, to, term, commit, context, sentAt });
  }
}

/** Serves the reads whose round a quorum has confirmed; the leader confirms by asking. */
export function maybeServeReads(raft: Raft, leader: LeaderRole): void {
  const { round } = leader.reads;
  if (round === 0) return;
  const confirmed = jointIndex(raft.conf, (id) =>
    id === raft.id ? round : (leader.peers.get(id)?.readRound ?? 0),
  );
  raft.reads.push(...leader.reads.confirmed(confirmed));
}

/** Once the successor has the whole log it is told to stand for election at once. Source: thesis §3.10. */
function tellTransferee(raft: Raft, leader: LeaderRole): void {
  const { transfer } = leader;
  if (transfer === undefined || transfer.told) return;
  if (leader.peers.get(transfer.to)?.match !== raft.log.last.index) return;
  raft.send({ kind: "timeoutNow", from: raft.id, to: transfer.to, term: raft.term });
  transfer.told = true;
  leader.hasLetGo = true;
}

/** Makes `peers` those of the configuration: newcomers are probed from the end of the log, the removed forgotten. */
export function syncPeers(raft: Raft, leader: LeaderRole): void {
  const ids = memberIds(raft.conf);
  for (const id of leader.peers.keys()) if (!ids.has(id)) leader.peers.delete(id);
  for (const id of ids) {
    if (leader.peers.has(id)) continue;
    const peer = new Progress(raft.log.last.index + 1, {
      countMax: raft.limits.inflightMax,
      bytesMax: raft.limits.inflightBytesMax,
    });
    // Counts as heard until the next check: a newcomer must not cost the leader its quorum before it could answer.
    peer.recentActive = true;
    leader.peers.set(id, peer);
  }
  const { transfer } = leader;
  if (transfer !== undefined && !isVoter(raft.conf, transfer.to)) leader.transfer = undefined;
}

function sumBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}
