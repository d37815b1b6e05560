import { expect } from "chai";
import { goFileMode, goTime, writeChange, writePathStat } from "./files.ts";

describe("wire: files of containers", () => {
  const MODES = [
    { what: "a file", mode: 0o100644, go: 0o644 },
    { what: "a directory", mode: 0o040755, go: 2147484141 },
    { what: "a sticky directory", mode: 0o041777, go: 2148532735 },
    { what: "a link", mode: 0o120777, go: 134218239 },
    { what: "a program with its owner's rights", mode: 0o104755, go: 8389101 },
    { what: "one with its group's", mode: 0o102755, go: 4194797 },
    { what: "a character device", mode: 0o020666, go: 69206454 },
    { what: "a block device", mode: 0o060660, go: 67109296 },
    { what: "a FIFO", mode: 0o010600, go: 33554816 },
    { what: "a socket", mode: 0o140755, go: 16777709 },
  ];
  for (const { what, mode, go } of MODES)
    it(`${what} has Go's mode ${go}`, () => expect(goFileMode(mode)).to.equal(go));

  const TIMES = [
    { ns: 0n, text: "1970-01-01T00:00:00Z" },
    { ns: 1_700_000_000_123_456_789n, text: "2023-11-14T22:13:20.123456789Z" },
    { ns: 1_700_000_000_500_000_000n, text: "2023-11-14T22:13:20.5Z" },
    { ns: -1n, text: "1969-12-31T23:59:59.999999999Z" },
  ];
  for (const { ns, text } of TIMES)
    it(`${ns} ns is ${text}`, () => expect(goTime(ns)).to.equal(text));

  it("a change has Docker's number", () => {
    expect(writeChange({ kind: "deleted", path: "/x" })).to.deep.equal({ Path: "/x", Kind: 2 });
  });

  it("a path's header is base64 of JSON", () => {
    const stat = { name: "x", sizeBytes: 5, mode: 0o100600, mtimeNs: 0n, linkTarget: "" };
    const text = Buffer.from(writePathStat(stat), "base64").toString();
    const mtime = "1970-01-01T00:00:00Z";
    expect(JSON.parse(text)).to.deep.equal({
      name: "x",
      size: 5,
      mode: 384,
      mtime,
      linkTarget: "",
    });
  });
});
