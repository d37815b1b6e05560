import { expect } from "chai";
import { RaftMessage } from "../../proto/gen/raft.ts";
import type { Message, SnapshotMeta } from "../../raft-ts/types.ts";
import {
  membersFromProto,
  membersToProto,
  messageFromProto,
  messageToProto,
  snapshotMetaFromProto,
} from "./raft-proto.ts";

const ENVELOPE = { from: 1, to: 2 ** 53 - 1, term: 7 };
const META: SnapshotMeta = {
  index: 40,
  term: 6,
  confState: { voters: [1, 2], votersOutgoing: [1, 3], learners: [4] },
};

/** One of each kind; a kind that is missing does not compile. */
const MESSAGES: { readonly [Kind in Message["kind"]]: Message & { readonly kind: Kind } } = {
  preVote: { ...ENVELOPE, kind: "preVote", lastIndex: 3, lastTerm: 2, force: false },
  preVoteReply: { ...ENVELOPE, kind: "preVoteReply", granted: true },
  vote: { ...ENVELOPE, kind: "vote", lastIndex: 3, lastTerm: 2, force: true },
  voteReply: { ...ENVELOPE, kind: "voteReply", granted: false },
  append: {
    ...ENVELOPE,
    kind: "append",
    prevIndex: 3,
    prevTerm: 2,
    commit: 1,
    entries: [
      { index: 4, term: 7, kind: "normal", data: Buffer.from("x") },
      { index: 5, term: 7, kind: "confChange", data: Buffer.alloc(0) },
    ],
  },
  appendReply: {
    ...ENVELOPE,
    kind: "appendReply",
    accepted: false,
    index: 9,
    hintIndex: 5,
    hintTerm: 4,
  },
  heartbeat: { ...ENVELOPE, kind: "heartbeat", commit: 4, context: 11, sentAt: 12.5 },
  heartbeatReply: { ...ENVELOPE, kind: "heartbeatReply", context: 11, sentAt: 12.5 },
  snapshot: { ...ENVELOPE, kind: "snapshot", snapshot: META },
  timeoutNow: { ...ENVELOPE, kind: "timeoutNow" },
};

describe("raft on the wire", () => {
  for (const message of Object.values(MESSAGES)) {
    it(`carries ${message.kind}`, () => {
      const bytes = RaftMessage.encode(messageToProto(message)).finish();
      expect(messageFromProto(RaftMessage.decode(bytes))).to.deep.equal(message);
    });
  }

  it("ignores a hello and a kind of a newer version", () => {
    const hello = { raftId: 1, nodeId: "n", addr: "a:1", learner: false };
    expect(messageFromProto({ ...ENVELOPE, kind: { $case: "hello", value: hello } })).to.equal(
      undefined,
    );
    expect(messageFromProto({ ...ENVELOPE, kind: undefined })).to.equal(undefined);
  });

  it("reads absent parts as empty", () => {
    const confState = { voters: [], votersOutgoing: [], learners: [] };
    expect(snapshotMetaFromProto(undefined)).to.deep.equal({ index: 0, term: 0, confState });
  });

  it("carries the member table, without what only the leader sees", () => {
    const member = { raftId: 1, nodeId: "n", addr: "a:1", learner: true };
    const table = { members: [{ ...member, reachable: true }], removed: [5] };
    expect(membersFromProto(membersToProto(table))).to.deep.equal({
      members: [member],
      removed: [5],
    });
  });
});
