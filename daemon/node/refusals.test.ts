import { expect } from "chai";
import { managerMustForce } from "./refusals.ts";

describe("node: a manager that would leave without force", () => {
  const cases = [
    { name: "the last one", managers: 1, reachable: 1, says: /Removing the last manager erases/ },
    { name: "one of two", managers: 2, reachable: 2, says: /leaves 1 managers out of 1\. Demote/ },
    {
      name: "one of three of which two answer",
      managers: 3,
      reachable: 2,
      says: /leaves 1 managers out of 2\. Without a Raft quorum \(2\)/,
    },
    {
      name: "one of three without a leader",
      managers: 3,
      reachable: 3,
      hasLeader: false,
      says: /Its 3 managers have no leader now: too few of them answer/,
    },
  ];
  for (const { name, hasLeader = true, says, ...counts } of cases) {
    it(`is told what that does: ${name}`, () => {
      const { code, message } = managerMustForce({ ...counts, hasLeader });
      expect(code).to.equal("Unavailable");
      expect(message)
        .to.match(says)
        .and.to.match(/Use `--force` to suppress this message\.$/);
    });
  }
});
