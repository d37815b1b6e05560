import { readFileSync } from "node:fs";
import { expect } from "chai";
import { probeCgroupLayout } from "../../runtime/linux/cgroups.ts";
import { StrayHierarchies, unifiedControllers } from "../../runtime/linux/stray-hierarchies.ts";

describe("stray hierarchies of control groups", () => {
  const added = () => probeCgroupLayout().added;

  it("are there until the last who wants them lets go, and nothing is left of them", function () {
    const layout = probeCgroupLayout();
    const before = unifiedControllers(layout);
    const delegated = () => readFileSync(`${layout.unified}/cgroup.subtree_control`, "utf8").trim();
    // Only a hybrid machine has any; one that is in somebody's use, or held by another daemon, is not ours to try.
    if (layout.kind !== "hybrid" || before === "" || delegated() !== "") this.skip();
    const [first, second] = [new StrayHierarchies(), new StrayHierarchies()];
    try {
      first.claim(layout);
      expect(added()).to.have.members(before.split(" "));
      second.claim(probeCgroupLayout());
      expect(unifiedControllers(layout)).to.equal("");
      first.release();
      expect(added(), "held by the second").to.have.members(before.split(" "));
    } finally {
      first.release();
      second.release();
    }
    expect(added()).to.deep.equal([]);
    expect(unifiedControllers(layout)).to.equal(before);
  });
});
