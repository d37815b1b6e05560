import { expect } from "chai";
import { decodeConfChanges, encodeConfChanges } from "./conf-change-codec.ts";
import type { ConfChange, ConfState } from "./index.ts";
import { changedConf, objection } from "./membership.ts";

const conf = (state: Partial<ConfState>): ConfState => ({
  voters: [1, 2],
  votersOutgoing: [],
  learners: [3],
  ...state,
});

const change = (kind: ConfChange["kind"], raftId: number, context: number[] = []): ConfChange => ({
  kind,
  raftId,
  context: Uint8Array.from(context),
});

describe("raft: membership", () => {
  for (const { name, changes, expected } of [
    { name: "a learner joins", changes: [change("addLearner", 4)], expected: { learners: [3, 4] } },
    {
      name: "a learner is promoted",
      changes: [change("addVoter", 3)],
      expected: { voters: [1, 2, 3], learners: [] },
    },
    { name: "a voter goes", changes: [change("remove", 2)], expected: { voters: [1] } },
    { name: "a member's context is updated", changes: [change("update", 2, [7])], expected: {} },
    { name: "a learner goes", changes: [change("remove", 3)], expected: { learners: [] } },
    {
      name: "two changes at once are joint",
      changes: [change("addVoter", 3), change("remove", 1)],
      expected: { voters: [2, 3], votersOutgoing: [1, 2], learners: [] },
    },
  ]) {
    it(name, () => {
      expect(objection(conf({}), changes)).to.equal(undefined);
      expect(changedConf(conf({}), changes)).to.deep.equal(conf(expected));
    });
  }

  it("no change at all leaves a joint configuration", () => {
    expect(changedConf(conf({ votersOutgoing: [1, 9] }), [])).to.deep.equal(conf({}));
  });

  for (const { before, changes, detail } of [
    { before: {}, changes: [], detail: "no change given" },
    { before: {}, changes: [change("addLearner", 1)], detail: "member 1 exists" },
    { before: {}, changes: [change("addLearner", 3)], detail: "member 3 exists" },
    { before: {}, changes: [change("addVoter", 2)], detail: "member 2 is a voter already" },
    { before: {}, changes: [change("remove", 7)], detail: "member 7 is unknown" },
    { before: {}, changes: [change("update", 7)], detail: "member 7 is unknown" },
    { before: { voters: [1] }, changes: [change("remove", 1)], detail: "no voter would remain" },
    { before: {}, changes: [change("addVoter", -1)], detail: "-1 is no raft id" },
    { before: {}, changes: [change("addVoter", 1.5)], detail: "1.5 is no raft id" },
    { before: {}, changes: [change("addVoter", 2 ** 53)], detail: `${2 ** 53} is no raft id` },
    {
      before: {},
      changes: [change("remove", 2), change("addVoter", 2)],
      detail: "one member is changed twice",
    },
    {
      before: { votersOutgoing: [1] },
      changes: [change("remove", 2)],
      detail: "a joint configuration is not yet left",
    },
  ]) {
    it(`refuses: ${detail}`, () => {
      expect(objection(conf(before), changes)).to.equal(detail);
    });
  }
});

describe("raft: the data of a membership entry", () => {
  for (const changes of [
    [],
    [change("addVoter", 1)],
    [change("addLearner", 2 ** 53 - 1, [1, 2, 3]), change("remove", 7, [0])],
    [change("update", 3, [1])],
  ]) {
    it(`reads back ${changes.length} changes`, () => {
      expect(decodeConfChanges(encodeConfChanges(changes))).to.deep.equal(changes);
    });
  }

  it("refuses what it did not write", () => {
    const good = encodeConfChanges([change("addVoter", 1, [1, 2, 3])]);
    expect(() => decodeConfChanges(good.subarray(0, good.length - 1))).to.throw("cut off");
    expect(() => decodeConfChanges(good.subarray(0, 5))).to.throw("cut off");
    expect(() => decodeConfChanges(new Uint8Array(0))).to.throw("unknown format");
    expect(() => decodeConfChanges(Uint8Array.from([9]))).to.throw("unknown format 9");
    expect(() => decodeConfChanges(good.map((byte, i) => (i === 1 ? 9 : byte)))).to.throw(
      "unknown kind",
    );
  });
});
