import { campaign } from "./election.ts";
import type { Raft } from "./raft.ts";
import type { Message, RaftId, SnapshotMeta } from "./types.ts";

type Append = Extract<Message, { readonly kind: "append" }>;
type AppendReply = Extract<Message, { readonly kind: "appendReply" }>;

/** A follower does as the leader of its term says, and answers. */
export function stepFollower(raft: Raft, message: Message): void {
  switch (message.kind) {
    case "append":
      raft.heardLeader(message.from);
      onAppend(raft, message);
      return;
    case "heartbeat":
      raft.heardLeader(message.from);
      raft.log.commitTo(message.commit);
      raft.send({
        kind: "heartbeatReply",
        from: raft.id,
        to: message.from,
        term: raft.term,
        context: message.context,
        sentAt: message.sentAt,
      });
      return;
    case "snapshot":
      raft.heardLeader(message.from);
      onSnapshot(raft, message.from, message.snapshot);
      return;
    case "timeoutNow":
      campaign(raft, "transfer");
      return;
    default:
      // An answer to a candidacy or leadership that is over.
      return;
  }
}

/** Source: Raft paper §5.3 and Figure 2, AppendEntries. */
function onAppend(raft: Raft, { from, prevIndex, prevTerm, entries, commit }: Append): void {
  const { log } = raft;
  if (prevIndex < log.commit) {
    accept(raft, from, log.commit);
    return;
  }
  const lastNew = log.merge({ index: prevIndex, term: prevTerm }, entries);
  if (lastNew === undefined) {
    refuse(raft, from, { index: prevIndex, term: prevTerm });
    return;
  }
  log.commitTo(Math.min(commit, lastNew));
  accept(raft, from, lastNew);
}

/**
 * Says where the logs may agree instead, skipping whole terms: nothing after that index can match what the leader
 * sent. Source: Raft paper §5.3, "the protocol can be optimized"; the term hint as in etcd-io/raft.
 */
function refuse(
  raft: Raft,
  to: RaftId,
  { index, term }: { readonly index: number; readonly term: number },
): void {
  const hintIndex = raft.log.findAgreement(Math.min(index, raft.log.last.index), term);
  const hintTerm = raft.log.term(hintIndex) ?? 0;
  reply(raft, { to, accepted: false, index, hintIndex, hintTerm });
}

function accept(raft: Raft, to: RaftId, index: number): void {
  reply(raft, { to, accepted: true, index, hintIndex: 0, hintTerm: 0 });
}

function reply(
  raft: Raft,
  { to, accepted, index, hintIndex, hintTerm }: Omit<AppendReply, "kind" | "from" | "term">,
): void {
  const { id: from, term } = raft;
  raft.send({ kind: "appendReply", from, to, term, accepted, index, hintIndex, hintTerm });
}

/**
 * Restores from a snapshot that is ahead of what is committed here. One whose last entry is in the log already only
 * says that everything up to it is committed. Source: Raft paper §7, Figure 13.
 */
function onSnapshot(raft: Raft, from: RaftId, snapshot: SnapshotMeta): void {
  const { log } = raft;
  if (snapshot.index > log.commit) {
    if (log.term(snapshot.index) === snapshot.term) {
      log.commitTo(snapshot.index);
    } else {
      log.restore(snapshot);
      raft.setConf(snapshot.confState, snapshot.index);
    }
  }
  accept(raft, from, log.commit);
}
