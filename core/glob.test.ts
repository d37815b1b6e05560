import { expect } from "chai";
import { compileDeepGlob, compileGlob } from "./glob.ts";

describe("globs", () => {
  const cases: { pattern: string; fits: string[]; not: string[] }[] = [
    { pattern: "busybox", fits: ["busybox"], not: ["busybo", "busyboxx", ""] },
    { pattern: "busy*", fits: ["busy", "busybox:latest"], not: ["a/busybox", "busy/box"] },
    { pattern: "*/*:v?", fits: ["a/b:v1"], not: ["a/b:v12", "a/b/c:v1", "b:v1"] },
    { pattern: "[a-c]x[^0-9]", fits: ["axy", "cx-"], not: ["dxy", "ax1"] },
    { pattern: "\\*", fits: ["*"], not: ["a"] },
    { pattern: "**", fits: ["", "abc"], not: ["a/b"] },
    { pattern: "a*b*c", fits: ["abc", "axxbyyc"], not: ["acb"] },
  ];
  for (const { pattern, fits, not } of cases) {
    it(`match ${pattern}`, () => {
      const matches = compileGlob(pattern);
      expect(fits.filter((text) => !matches(text))).to.deep.equal([]);
      expect(not.filter(matches)).to.deep.equal([]);
    });
  }
  for (const pattern of ["[", "[]", "[a-", "[a-]", "\\", "[-a]"]) {
    it(`refuse ${pattern}`, () => expect(() => compileGlob(pattern)).to.throw("syntax error"));
  }

  const deep: { pattern: string; fits: string[]; not: string[] }[] = [
    { pattern: "**", fits: ["a", "a/b/c"], not: [] },
    { pattern: "**/x", fits: ["x", "a/x", "a/b/x"], not: ["ax", "a/bx", "x/a"] },
    { pattern: "a/**", fits: ["a/b", "a/b/c"], not: ["a", "ab"] },
    { pattern: "a/**/b", fits: ["a/b", "a/x/b", "a/x/y/b"], not: ["ab", "a/xb"] },
    { pattern: "a**b", fits: ["ab", "a/x/b"], not: ["a/x"] },
    { pattern: "*/x", fits: ["a/x"], not: ["x", "a/b/x"] },
  ];
  for (const { pattern, fits, not } of deep) {
    it(`cross directories: ${pattern}`, () => {
      const matches = compileDeepGlob(pattern);
      expect(fits.filter((text) => !matches(text))).to.deep.equal([]);
      expect(not.filter(matches)).to.deep.equal([]);
    });
  }

  it("take no longer for a hostile pattern", () => {
    const matches = compileGlob(`${"*a".repeat(200)}b`);
    const startMs = performance.now();
    expect(matches("a".repeat(400))).to.equal(false);
    expect(performance.now() - startMs).to.be.lessThan(2000);
  });
});
