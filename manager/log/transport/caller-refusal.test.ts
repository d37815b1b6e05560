import { expect } from "chai";
import { EMPTY_MEMBERS, withMember, withoutMember } from "../members.ts";
import { type Caller, callerRefusal } from "./caller-refusal.ts";

const GENERATION = 1_700_000_000_000;
const member = (raftId: number) => ({ raftId, nodeId: `n${raftId}`, addr: `h${raftId}:1` });
const table = withoutMember([member(1), member(2), member(9)].reduce(withMember, EMPTY_MEMBERS), 9);
const self = member(1);

const CASES: {
  name: string;
  caller: Partial<Caller>;
  code?: string;
  expelled?: number;
}[] = [
  { name: "a member", caller: {} },
  { name: "a newcomer", caller: { raftId: 3, nodeId: "n3" } },
  { name: "a member that does not know who we are", caller: { to: 0 } },
  { name: "a caller without a certificate, in tests", caller: { nodeId: undefined } },
  {
    name: "one that was removed",
    caller: { raftId: 9, nodeId: "n9" },
    code: "FailedPrecondition",
    expelled: GENERATION,
  },
  {
    name: "a node that takes another's id",
    caller: { nodeId: "n3" },
    code: "PermissionDenied",
  },
  {
    name: "the group of before a recovery, under new ids too",
    caller: { raftId: 8, nodeId: "n8", to: 9, generation: 0 },
    code: "FailedPrecondition",
    expelled: GENERATION,
  },
  {
    name: "a member that is behind and looks for who we were",
    caller: { to: 9, generation: GENERATION },
    code: "FailedPrecondition",
  },
];

describe("raft: callers", () => {
  for (const { name, caller, code, expelled } of CASES) {
    it(`${code === undefined ? "hears" : "refuses"} ${name}`, () => {
      const refusal = callerRefusal(
        { self, table, generation: GENERATION },
        { raftId: 2, nodeId: "n2", to: 1, generation: GENERATION, ...caller },
      );
      expect(refusal?.code).to.equal(code);
      expect(refusal?.details.expelled).to.equal(expelled);
    });
  }
});
