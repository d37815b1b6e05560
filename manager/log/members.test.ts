import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import {
  checkAddition,
  checkQuorumWithout,
  checkRemoval,
  EMPTY_MEMBERS,
  MEMBERS_MAX,
  type MemberTable,
  withMember,
  withoutMember,
} from "./members.ts";
import type { Member } from "./replicated-log.ts";

function member(raftId: number, learner = false): Member {
  return { raftId, nodeId: `node-${raftId}`, addr: `10.0.0.${raftId}:4242`, learner };
}

function tableOf(...members: readonly Member[]): MemberTable {
  return members.reduce(withMember, EMPTY_MEMBERS);
}

function codeOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ClusterError) return error.code;
    throw error;
  }
}

describe("members: the table", () => {
  it("is ordered by id and replaces a member that is added again", () => {
    const table = tableOf(member(3), member(1, true), member(1));
    expect(table.members).to.deep.equal([member(1), member(3)]);
  });

  it("remembers the removed, once", () => {
    const table = withoutMember(withoutMember(tableOf(member(1), member(2)), 2), 2);
    expect(table).to.deep.equal({ members: [member(1)], removed: [2] });
  });
});

describe("members: who may join", () => {
  const table = withoutMember(tableOf(member(1), member(2), member(9)), 9);
  const cases: readonly { name: string; newcomer: Member; code: string | undefined }[] = [
    { name: "a new node with a new id", newcomer: member(3), code: undefined },
    {
      name: "an id that is a member",
      newcomer: { ...member(3), raftId: 1 },
      code: "FailedPrecondition",
    },
    { name: "an id that was removed", newcomer: member(9), code: "FailedPrecondition" },
    {
      name: "a node that is a member",
      newcomer: { ...member(3), nodeId: "node-2" },
      code: "FailedPrecondition",
    },
    { name: "id 0", newcomer: member(0), code: "InvalidArgument" },
    { name: "a fraction", newcomer: member(1.5), code: "InvalidArgument" },
    { name: "an id past 2^53", newcomer: member(2 ** 53), code: "InvalidArgument" },
  ];
  for (const { name, newcomer, code } of cases) {
    it(`${code === undefined ? "takes" : "refuses"} ${name}`, () => {
      expect(codeOf(() => checkAddition(table, newcomer))).to.equal(code);
    });
  }

  it("refuses one more than there may be", () => {
    const full = tableOf(...Array.from({ length: MEMBERS_MAX }, (_, i) => member(i + 1)));
    expect(codeOf(() => checkAddition(full, member(99)))).to.equal("ResourceExhausted");
  });
});

describe("members: who may go", () => {
  it("refuses the last voter, even when there are learners, and who is no member", () => {
    const table = tableOf(member(1), member(2, true));
    expect(codeOf(() => checkRemoval(table, 1))).to.equal("FailedPrecondition");
    expect(codeOf(() => checkRemoval(table, 2))).to.equal(undefined);
    expect(codeOf(() => checkRemoval(table, 3))).to.equal("NotFound");
  });

  const three = tableOf(member(1), member(2), member(3));
  const five = tableOf(...[1, 2, 3, 4, 5].map((id) => member(id)));
  const cases: readonly {
    name: string;
    table: MemberTable;
    remove: number;
    up: readonly number[];
    ok: boolean;
  }[] = [
    { name: "one of three when all answer", table: three, remove: 2, up: [1, 2, 3], ok: true },
    { name: "the one of three that is down", table: three, remove: 3, up: [1, 2], ok: true },
    { name: "one of three when another is down", table: three, remove: 2, up: [1, 2], ok: false },
    {
      name: "one of five when one other is down",
      table: five,
      remove: 2,
      up: [1, 2, 3, 4],
      ok: true,
    },
    {
      name: "one of five when two others are down",
      table: five,
      remove: 2,
      up: [1, 2, 3],
      ok: false,
    },
    {
      name: "one of two when a learner answers, which has no vote",
      table: tableOf(member(1), member(2), member(3, true)),
      remove: 1,
      up: [1, 3],
      ok: false,
    },
  ];
  for (const { name, table, remove, up, ok } of cases) {
    it(`${ok ? "lets go" : "keeps"} ${name}`, () => {
      const code = codeOf(() => checkQuorumWithout("remove", table, remove, new Set(up)));
      expect(code).to.equal(ok ? undefined : "FailedPrecondition");
    });
  }

  it("shows the arithmetic, by the names people know", () => {
    const check = () =>
      checkQuorumWithout("demote", three, 2, new Set([1, 2]), (nodeId) => `host-${nodeId.at(-1)}`);
    expect(check).to.throw(
      "cannot demote manager host-2: of 3 managers 2 answer; without it 1 of 2 would answer and 2 are needed; " +
        "bring host-3 back or demote it first, or use --force",
    );
  });
});
