import type {
  RaftEntry,
  RaftMembers,
  RaftMessage,
  RaftSnapshotMeta,
} from "../../proto/gen/raft.ts";
import type { Entry, Message, SnapshotMeta } from "../../raft-ts/types.ts";
import type { MemberTable } from "./members.ts";

/** raft-ts' values as proto messages and back: the one place where the two meet. */

/** An entry as it travels and is stored. */
export function entryToProto(entry: Entry): RaftEntry {
  return {
    index: entry.index,
    term: entry.term,
    confChange: entry.kind === "confChange",
    data: asBuffer(entry.data),
  };
}

/** Inverse of `entryToProto`. */
export function entryFromProto(entry: RaftEntry): Entry {
  return {
    index: entry.index,
    term: entry.term,
    kind: entry.confChange ? "confChange" : "normal",
    data: entry.data,
  };
}

/** What a snapshot covers, as it travels and is stored. */
export function snapshotMetaToProto(meta: SnapshotMeta): RaftSnapshotMeta {
  const { voters, votersOutgoing, learners } = meta.confState;
  return {
    index: meta.index,
    term: meta.term,
    confState: {
      voters: [...voters],
      votersOutgoing: [...votersOutgoing],
      learners: [...learners],
    },
  };
}

/** Inverse of `snapshotMetaToProto`; absent fields are empty, as proto has it. */
export function snapshotMetaFromProto(meta: RaftSnapshotMeta | undefined): SnapshotMeta {
  const confState = meta?.confState;
  return {
    index: meta?.index ?? 0,
    term: meta?.term ?? 0,
    confState: {
      voters: confState?.voters ?? [],
      votersOutgoing: confState?.votersOutgoing ?? [],
      learners: confState?.learners ?? [],
    },
  };
}

/** The member table as snapshots hold it. */
export function membersToProto(table: MemberTable): RaftMembers {
  return {
    members: table.members.map(({ raftId, nodeId, addr, learner = false }) => ({
      raftId,
      nodeId,
      addr,
      learner,
    })),
    removed: [...table.removed],
  };
}

/** Inverse of `membersToProto`. */
export function membersFromProto(table: RaftMembers | undefined): MemberTable {
  const members = (table?.members ?? []).map(({ raftId, nodeId, addr, learner }) => ({
    raftId,
    nodeId,
    addr,
    learner,
  }));
  return { members, removed: table?.removed ?? [] };
}

/** A message as it travels. */
export function messageToProto(message: Message): RaftMessage {
  const { from, to, term } = message;
  return { from, to, term, kind: kindToProto(message) };
}

function kindToProto(message: Message): RaftMessage["kind"] {
  switch (message.kind) {
    case "preVote":
    case "vote": {
      const { lastIndex, lastTerm, force } = message;
      return { $case: message.kind, value: { lastIndex, lastTerm, force } };
    }
    case "preVoteReply":
    case "voteReply":
      return { $case: message.kind, value: { granted: message.granted } };
    case "append": {
      const { prevIndex, prevTerm, commit } = message;
      const entries = message.entries.map(entryToProto);
      return { $case: "append", value: { prevIndex, prevTerm, entries, commit } };
    }
    case "appendReply": {
      const { accepted, index, hintIndex, hintTerm } = message;
      return { $case: "appendReply", value: { accepted, index, hintIndex, hintTerm } };
    }
    case "heartbeat": {
      const { commit, context, sentAt } = message;
      return { $case: "heartbeat", value: { commit, context, sentAt } };
    }
    case "heartbeatReply": {
      const { context, sentAt } = message;
      return { $case: "heartbeatReply", value: { context, sentAt } };
    }
    case "snapshot":
      return { $case: "snapshot", value: snapshotMetaToProto(message.snapshot) };
    case "timeoutNow":
      return { $case: "timeoutNow", value: {} };
  }
}

/** Inverse of `messageToProto`; undefined for what is no message of raft, or of a kind this version does not know. */
export function messageFromProto(message: RaftMessage): Message | undefined {
  const { from, to, term, kind } = message;
  const envelope = { from, to, term };
  switch (kind?.$case) {
    case "preVote":
    case "vote":
    case "preVoteReply":
    case "voteReply":
    case "appendReply":
    case "heartbeat":
    case "heartbeatReply":
      return { ...envelope, kind: kind.$case, ...kind.value } as Message;
    case "append": {
      const { prevIndex, prevTerm, commit } = kind.value;
      const entries = kind.value.entries.map(entryFromProto);
      return { ...envelope, kind: "append", prevIndex, prevTerm, commit, entries };
    }
    case "snapshot":
      return { ...envelope, kind: "snapshot", snapshot: snapshotMetaFromProto(kind.value) };
    case "timeoutNow":
      return { ...envelope, kind: "timeoutNow" };
    case "hello":
    case undefined:
      return undefined;
  }
}

/** The same bytes as a Buffer, not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
