import { expect } from "chai";
import { imagePath, splitTag } from "./ref.ts";

describe("image references of commands", () => {
  const cases: [string, string, string][] = [
    ["busybox", "busybox", "latest"],
    ["busybox:1", "busybox", "1"],
    ["r:5000/a/b", "r:5000/a/b", "latest"],
    ["r:5000/a/b:v1", "r:5000/a/b", "v1"],
    ["a:1@sha256:ab", "a:1", "sha256:ab"],
  ];
  for (const [ref, name, tag] of cases) {
    it(`splits ${ref}`, () => expect(splitTag(ref)).to.deep.equal({ name, tag }));
  }
  for (const ref of ["", ":", ":1", "a:", "a:b:c"])
    it(`refuses "${ref}"`, () =>
      expect(() => splitTag(ref)).to.throw(`invalid reference format: "${ref}"`));
  it("keeps slashes out of the path", () => expect(imagePath("a/b")).to.equal("/images/a%2Fb"));
});
