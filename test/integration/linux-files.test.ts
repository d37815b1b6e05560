import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  findXattr,
  makeNode,
  setModificationTime,
  setXattr,
  syncFileSystem,
} from "../../runtime/linux/files.ts";

describe("files through the C library", () => {
  let directory: string;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-files-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it("keeps an attribute's bytes, and knows when there is none", () => {
    const path = join(directory, "attributes");
    writeFileSync(path, "");
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    setXattr(path, "user.bytes", value);
    setXattr(path, "user.empty", new Uint8Array(0));
    expect(findXattr(path, "user.bytes")).to.deep.equal(value);
    expect(findXattr(path, "user.empty")).to.deep.equal(new Uint8Array(0));
    expect(findXattr(path, "user.none")).to.equal(undefined);
  });

  it("takes names that are not UTF-8", () => {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]);
    makeNode(path, constants.S_IFIFO | 0o600, 0, 0);
    expect(lstatSync(path).isFIFO()).to.equal(true);
  });

  const devices = [
    { major: 0, minor: 0 },
    { major: 259, minor: 70_000 },
    { major: 4095, minor: 2 ** 20 - 1 },
  ];
  for (const { major, minor } of devices) {
    it(`makes device ${major}:${minor}`, () => {
      const path = join(directory, `device-${major}`);
      makeNode(path, constants.S_IFCHR | 0o600, major, minor);
      const device = lstatSync(path, { bigint: true }).rdev;
      expect(Number((device >> 8n) & 0xfffn)).to.equal(major);
      expect(Number((device & 0xffn) | ((device >> 12n) & 0xfff00n))).to.equal(minor);
    });
  }

  it("sets a link's own time to the nanosecond, before 1970 too", () => {
    const path = join(directory, "link");
    symlinkSync("nowhere", path);
    for (const [seconds, nanos] of [
      [1_700_000_000, 123_456_789],
      [-2, 1],
    ] as const) {
      setModificationTime(path, seconds, nanos);
      expect(lstatSync(path, { bigint: true }).mtimeNs).to.equal(
        BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
      );
    }
  });

  it("says what failed on which file", () => {
    expect(() => setXattr(join(directory, "none"), "user.x", new Uint8Array(0)))
      .to.throw(/cannot set attribute user\.x of .*\/none: no such file or directory \(ENOENT\)/)
      .with.property("code", "NotFound");
    expect(() => makeNode(directory, constants.S_IFCHR, 0, 0))
      .to.throw(/EEXIST/)
      .with.property("code", "AlreadyExists");
  });

  it("flushes a file system, and says when it cannot", async () => {
    const fd = openSync(directory, "r");
    await syncFileSystem(fd, directory);
    closeSync(fd);
    const failure = await syncFileSystem(-1, directory).catch((error: unknown) => error);
    expect(failure)
      .to.have.property("message")
      .that.matches(/cannot flush/);
  });
});
