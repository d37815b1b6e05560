import { expect } from "chai";
import { findMountOfPath, mountPoints } from "./mount-table.ts";

const TABLE = [
  "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
  "30 21 0:25 / /a\\040b\\134c rw - tmpfs tmpfs rw",
  "31 21 8:1 /src /bound rw - ext4 /dev/root rw",
  "32 21 8:1 /src /bound/both rw master:1 shared:2 - ext4 /dev/root rw",
  "33 21 0:30 / /a\\040b\\134c rw master:3 - tmpfs tmpfs rw",
  "",
].join("\n");

describe("mount table", () => {
  it("names where things are mounted, with spaces and backslashes", () => {
    expect(mountPoints(TABLE)).to.deep.equal(["/", "/a b\\c", "/bound", "/bound/both", "/a b\\c"]);
  });

  const paths = [
    { path: "/", expected: { point: "/", isShared: true, isSlave: false } },
    { path: "/boundless", expected: { point: "/", isShared: true, isSlave: false } },
    { path: "/bound/x", expected: { point: "/bound", isShared: false, isSlave: false } },
    { path: "/bound/both", expected: { point: "/bound/both", isShared: true, isSlave: true } },
    { path: "/a b\\c/d", expected: { point: "/a b\\c", isShared: false, isSlave: true } },
  ];
  for (const { path, expected } of paths)
    it(`says what ${path} is in`, () => {
      expect(findMountOfPath(TABLE, path)).to.deep.equal(expected);
    });
});
