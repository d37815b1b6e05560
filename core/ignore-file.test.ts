import { expect } from "chai";
import { IGNORE_PATTERNS_MAX, parseIgnoreFile } from "./ignore-file.ts";

const CASES: { name: string; file: string; ignored: string[]; kept: string[] }[] = [
  { name: "nothing is said", file: "", ignored: [], kept: ["a", "a/b"] },
  { name: "comments and empty lines", file: "# a\n\n \n", ignored: [], kept: ["a", "# a"] },
  { name: "a name", file: "a\n", ignored: ["a", "a/b", "a/b/c"], kept: ["b", "b/a", "ab"] },
  { name: "from the root", file: "/a/\n", ignored: ["a", "a/b"], kept: ["b/a"] },
  { name: "a path that is not clean", file: "./x/../a//b\n", ignored: ["a/b"], kept: ["a", "x"] },
  { name: "a star", file: "*/t*\n", ignored: ["a/tmp", "a/t/x"], kept: ["tmp", "a/b/tmp"] },
  { name: "two stars", file: "**/*.go\n", ignored: ["a.go", "a/b.go"], kept: ["a.god", "go"] },
  { name: "white space around", file: "  a  \r\n", ignored: ["a"], kept: ["b"] },
  {
    name: "the last one decides",
    file: "*.md\n!README*.md\nREADME-x.md\n",
    ignored: ["a.md", "README-x.md"],
    kept: ["README.md"],
  },
  { name: "all but one", file: "*\n!a/b\n", ignored: ["x", "a", "a/c"], kept: ["a/b", "a/b/c"] },
  { name: "an exception of nothing", file: "!a\n", ignored: [], kept: ["a"] },
  { name: "the root itself", file: ".\n/\n", ignored: [], kept: ["a"] },
  { name: "a mark of byte order", file: "\ufeffa\n", ignored: ["a"], kept: [] },
];

describe(".dockerignore", () => {
  for (const { name, file, ignored, kept } of CASES)
    it(name, () => {
      const { ignores } = parseIgnoreFile(file);
      expect(ignored.filter((path) => !ignores(path))).to.deep.equal([]);
      expect(kept.filter(ignores)).to.deep.equal([]);
    });

  it("says whether something may come back", () => {
    expect(parseIgnoreFile("a\n").hasExceptions).to.equal(false);
    expect(parseIgnoreFile("a\n!b\n").hasExceptions).to.equal(true);
  });
  it("refuses what is no pattern", () => {
    expect(() => parseIgnoreFile("!\n")).to.throw('illegal exclusion pattern: "!"');
    expect(() => parseIgnoreFile("[\n")).to.throw("syntax error in pattern");
    expect(() => parseIgnoreFile("a\n".repeat(IGNORE_PATTERNS_MAX + 1))).to.throw("more than");
  });
});
