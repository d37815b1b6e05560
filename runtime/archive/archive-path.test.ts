import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { entryParts, readArchivePath } from "./archive-path.ts";

describe("archive: paths", () => {
  const ASKED = [
    { asked: "/etc/hosts", path: "/etc/hosts", name: "hosts" },
    { asked: "etc/hosts", path: "/etc/hosts", name: "hosts" },
    { asked: "/etc/", path: "/etc/", name: "etc" },
    { asked: "/etc/.", path: "/etc/.", name: "." },
    { asked: "/etc//x/./../y", path: "/etc/y", name: "y" },
    { asked: "../../../etc/passwd", path: "/etc/passwd", name: "passwd" },
    { asked: "/etc/..", path: "/", name: "" },
    { asked: "/", path: "/", name: "" },
    { asked: ".", path: "/", name: "" },
    { asked: "/.", path: "/", name: "" },
    { asked: "/a..", path: "/a..", name: "a.." },
    { asked: "/ü", path: "/ü", name: "ü" },
  ];
  for (const { asked, path, name } of ASKED)
    it(`${JSON.stringify(asked)} is ${path}, called ${JSON.stringify(name)}`, () => {
      expect(readArchivePath(asked)).to.deep.equal({ path, name });
    });

  for (const asked of ["", "a\0b", `/${"x".repeat(5000)}`])
    it(`refuses ${JSON.stringify(asked.slice(0, 10))}`, () => {
      expect(() => readArchivePath(asked)).to.throw(ClusterError, "bad parameter: path");
    });

  const ENTRIES = [
    { entry: "a/b", parts: ["a", "b"] },
    { entry: "/etc/passwd", parts: ["etc", "passwd"] },
    { entry: "./a//b/", parts: ["a", "b"] },
    { entry: "a/../b", parts: ["b"] },
    { entry: "./", parts: [] },
    { entry: "../x", parts: undefined },
    { entry: "a/../../x", parts: undefined },
    { entry: "a\0", parts: undefined },
  ];
  for (const { entry, parts } of ENTRIES)
    it(`entry ${JSON.stringify(entry)} is ${parts === undefined ? "outside" : parts.join("/")}`, () => {
      expect(entryParts(entry)).to.deep.equal(parts);
    });
});
