import { expect } from "chai";
import { findForbidden, isPattern, parseMode, readSource, readTarget } from "./copy-target.ts";

const TARGETS: readonly (readonly [
  target: string,
  workdir: string,
  path: string,
  isDirectory: boolean,
])[] = [
  ["/a/b", "/w", "/a/b", false],
  ["/a/b/", "/w", "/a/b", true],
  ["a", "/w", "/w/a", false],
  [".", "/w", "/w", true],
  ["./", "", "", true],
  ["/", "/w", "", true],
  ["../../x", "/w", "/x", false],
  ["/a/.", "/w", "/a", true],
  ["/a/..", "/w", "", true],
];

describe("build: where COPY puts things", () => {
  for (const [target, workdir, path, isDirectory] of TARGETS)
    it(`${target} in ${workdir}`, () =>
      expect(readTarget(target, workdir)).to.deep.equal({ path, isDirectory }));

  it("sources stay inside", () => {
    expect(["/a//b/", "../../etc", ".", "a/../../b"].map(readSource)).to.deep.equal([
      "a/b",
      "etc",
      "",
      "b",
    ]);
  });
  it("sources that lead out are named as Docker names them", () => {
    expect(
      ["..", "/../a", "./../a", "a/../../b", "a/..", "a/../b", "/a", "..a"].map(findForbidden),
    ).to.deep.equal([
      "..",
      "../a",
      "../a",
      "a/../../b",
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
  it("modes are octal", () => {
    expect(["", "755", "0644", "4755"].map(parseMode)).to.deep.equal([
      undefined,
      0o755,
      0o644,
      0o4755,
    ]);
    for (const text of ["u+x", "8", "77777", "-1"])
      expect(() => parseMode(text)).to.throw("invalid chmod");
  });
  it("patterns are told from names", () => {
    expect(["a*", "a?", "[a]", "a\\*", "a"].map(isPattern)).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
