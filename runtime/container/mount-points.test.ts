import { expect } from "chai";
import { planMountPoints } from "./mount-points.ts";

describe("container: what is to be mounted upon", () => {
  const CASES: readonly (readonly [targets: readonly string[], made: readonly string[]])[] = [
    [
      ["/a", "/ab", "/b/c"],
      ["/a", "/ab", "/b/c"],
    ],
    [["/a/b", "/a", "/a/b/c"], ["/a"]],
    [["/dev/x", "/proc/y", "/sys/z", "/devices"], ["/devices"]],
    [[], []],
  ];
  for (const [targets, made] of CASES)
    it(targets.join(" ") || "nothing", () => {
      const mounts = targets.map((target) => ({ target }));
      expect(planMountPoints(mounts).map(({ target }) => target)).to.deep.equal(made);
    });
});
