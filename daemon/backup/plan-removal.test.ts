import { expect } from "chai";
import { backupName, planRemoval } from "./plan-removal.ts";

const at = (day: number) => backupName("abc", Date.UTC(2026, 0, day, 1, 2, 3));

describe("backup: files in the directory", () => {
  it("are called by cluster and time", () => {
    expect(at(5)).to.equal("muster-abc-2026-01-05T01-02-03-000Z.backup");
  });

  it("go when they are the oldest beyond those kept, and no others do", () => {
    const others = ["notes.txt", backupName("other", 0), `${at(1)}.tmp`, "muster-abc-x.backup"];
    const names = [at(3), ...others, at(1), at(4), at(2)];
    expect(planRemoval(names, "abc", 2)).to.deep.equal([at(1), at(2)]);
    expect(planRemoval(names, "abc", 4)).to.deep.equal([]);
  });
});
