import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { copyFiles } from "../../runtime/build/copy-files.ts";
import { resolveTarget } from "../../runtime/build/resolve-target.ts";

describe("build: where COPY leads", () => {
  let folder: string;
  let root: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "muster-copy-"));
    root = join(folder, "root");
    mkdirSync(join(root, "real/deep"), { recursive: true });
    writeFileSync(join(root, "file"), "old");
    symlinkSync("real", join(root, "link"));
    symlinkSync("/real/deep", join(root, "absolute"));
    symlinkSync("new/place", join(root, "nowhere"));
    symlinkSync("../../../../etc", join(root, "up"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("file", join(root, "to-file"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const CASES: readonly (readonly [path: string, leadsTo: string])[] = [
    ["", ""],
    ["/real/x", "/real/x"],
    ["/link/x/y", "/real/x/y"],
    ["/absolute/x", "/real/deep/x"],
    ["/absolute", "/real/deep"],
    ["/nowhere/x", "/new/place/x"],
    ["/up/passwd", "/etc/passwd"],
    ["/to-file", "/file"],
    ["/file/x", "/file/x"],
  ];
  for (const [path, leadsTo] of CASES)
    it(`${path || "the root"} is ${leadsTo || "the root"}`, () =>
      expect(resolveTarget(root, path)).to.equal(leadsTo));

  it("a loop is refused", () => {
    expect(() => resolveTarget(root, "/loop/x")).to.throw(
      ClusterError,
      "too many links in /loop/x",
    );
  });

  it("what is above a directory that is given to somebody is root's", async () => {
    const sourceRoot = join(folder, "source");
    mkdirSync(join(sourceRoot, "d"), { recursive: true });
    writeFileSync(join(sourceRoot, "d/f"), "new");
    await copyFiles(root, {
      ...{ sourceRoot, path: "d", target: { path: "/a/b/c", isDirectory: true } },
      ...{ owner: { uid: 7, gid: 8 }, mode: undefined, unpacks: false },
      signal: new AbortController().signal,
    });
    const owner = (path: string) => statSync(join(root, path)).uid;
    expect(["a", "a/b", "a/b/c", "a/b/c/f"].map(owner)).to.deep.equal([0, 0, 7, 7]);
    expect(readFileSync(join(root, "a/b/c/f"), "utf8")).to.equal("new");
  });
});
