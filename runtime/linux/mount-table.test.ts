import { expect } from "chai";
import { mountPoints } from "./mount-table.ts";

const TABLE = [
  "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
  "30 21 0:25 / /a\\040b\\134c rw - tmpfs tmpfs rw",
  "31 21 8:1 /src /bound rw - ext4 /dev/root rw",
  "",
].join("\n");

describe("mount table", () => {
  it("names where things are mounted, with spaces and backslashes", () => {
    expect(mountPoints(TABLE)).to.deep.equal(["/", "/a b\\c", "/bound"]);
  });
});
