import {
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import { ImageStore } from "../../runtime/image/image-store.ts";
import { packLayer } from "../../runtime/image/layer/pack-layer.ts";
import { unpackLayer } from "../../runtime/image/layer/unpack.ts";
import { digestOf } from "../../runtime/image/store/content-store.ts";
import { findXattr, makeNode, setXattr } from "../../runtime/linux/files.ts";
import { failureOf } from "../support/failure-of.ts";
import { packOciArchive } from "../support/image-archive.ts";
import { packTar } from "../support/tar-writer.ts";

const S_IFCHR = 0o020000;
const S_IFSOCK = 0o140000;
const OPAQUE = "trusted.overlay.opaque";

describe("images of containers", () => {
  let directory: string;
  beforeEach(function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-commit-"));
  });
  afterEach(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  async function packed(upper: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of packLayer(upper)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** What another machine makes of the layer. */
  async function unpacked(upper: string): Promise<string> {
    const bytes = await packed(upper);
    const [tar, to] = [join(directory, "layer.tar"), join(directory, "to")];
    writeFileSync(tar, bytes);
    await unpackLayer(tar, to, digestOf(bytes));
    return to;
  }

  it("pack what was changed, so that it is the same when it is unpacked", async () => {
    const upper = join(directory, "upper");
    mkdirSync(join(upper, "dir"), { recursive: true, mode: 0o750 });
    chownSync(join(upper, "dir"), 1000, 3_000_000);
    setXattr(join(upper, "dir"), OPAQUE, Buffer.from("y"));
    writeFileSync(join(upper, "dir/file"), "content", { mode: 0o4711 });
    linkSync(join(upper, "dir/file"), join(upper, "zlink"));
    symlinkSync("../dir/file", join(upper, "dir/sym"));
    makeNode(join(upper, "dir/gone"), S_IFCHR, 0, 0);
    makeNode(join(upper, "null"), S_IFCHR | 0o666, 1, 3);
    setXattr(join(upper, "zlink"), "user.note", Buffer.from([0, 255, 10]));
    const strange = Buffer.concat([Buffer.from(`${upper}/`), Buffer.from([0xff, 0x0a, 0xc3])]);
    writeFileSync(strange, "x");
    writeFileSync(join(upper, "n".repeat(200)), "long");
    writeFileSync(join(upper, "hole"), "");
    truncateSync(join(upper, "hole"), 3_000_001);

    const to = await unpacked(upper);

    const names = (path: string) => readdirSync(path, { encoding: "latin1" }).toSorted();
    expect(names(to)).to.deep.equal(names(upper));
    expect(names(join(to, "dir"))).to.deep.equal(["file", "gone", "sym"]);
    for (const name of ["dir", "dir/file", "null", "zlink", "hole", "dir/gone"]) {
      const [a, b] = [lstatSync(join(upper, name)), lstatSync(join(to, name))];
      const facts = ({ uid, gid, size, rdev, nlink }: typeof a) => ({
        uid,
        gid,
        size,
        rdev,
        nlink,
      });
      if (!a.isDirectory()) expect(facts(b), name).to.deep.equal(facts(a));
      if (name !== "dir/gone") expect(b.mode, name).to.equal(a.mode);
    }
    expect(lstatSync(join(to, "dir")).gid).to.equal(3_000_000);
    expect(readFileSync(join(to, "zlink"), "utf8")).to.equal("content");
    expect(readlinkSync(join(to, "dir/sym"))).to.equal("../dir/file");
    expect(Buffer.from(findXattr(join(to, "zlink"), "user.note") ?? [])).to.deep.equal(
      Buffer.from([0, 255, 10]),
    );
    expect(Buffer.from(findXattr(join(to, "dir"), OPAQUE) ?? []).toString()).to.equal("y");
  });

  it("refuse what overlayfs keeps a part of elsewhere", async () => {
    mkdirSync(join(directory, "upper/moved"), { recursive: true });
    setXattr(join(directory, "upper/moved"), "trusted.overlay.redirect", Buffer.from("was"));
    const error = await failureOf(packed(join(directory, "upper")));
    expect(error.message).to.contain("overlayfs keeps a part of it elsewhere");
  });

  it("stand on the layers of theirs, with what they ran in the history", async () => {
    const store = await ImageStore.open(directory);
    const layers = [packTar([{ name: "etc/base", content: "base" }])];
    const [loaded] = await store.load(
      Readable.from([packOciArchive({ name: "base:1", layers, settings: { Cmd: ["sh"] } })]),
    );
    const base = loaded?.image;
    if (base === undefined) throw new Error("nothing was loaded");
    const { upperDir } = await store.prepareRootfs(base.id, "c1");
    writeFileSync(join(upperDir, "new"), "new");

    const made = await store.commit("c1", {
      ...{ name: "made:1", createdMs: 1_700_000_000_000, author: "me", comment: "why" },
      ...{ createdBy: "sh -c work", config: { Cmd: ["work"], Labels: { a: "b" } } },
    });

    expect(made.layers.slice(0, -1)).to.deep.equal(base.layers);
    expect(made.config).to.deep.include({ cmd: ["work"], labels: { a: "b" } });
    expect(made.created).to.equal("2023-11-14T22:13:20.000Z");
    expect(store.layerBytes(made.layers.at(-1) ?? base.id)).to.equal(3);
    const { history } = JSON.parse(made.rawConfig) as { history: object[] };
    expect(history.at(-1)).to.include({ created_by: "sh -c work", comment: "why", author: "me" });
    const { lowerDirs } = await store.prepareRootfs(made.id, "c2");
    expect(existsSync(join(lowerDirs[0] ?? "", "new"))).to.equal(true);

    for (const id of ["c1", "c2"]) await store.removeRootfs(id);
    const none = { name: "", createdMs: 0, author: "", comment: "", createdBy: "", config: {} };
    expect(await failureOf(store.commit("c1", none))).to.include({ code: "NotFound" });
    await store.close();
  });

  it("are made by taking what was written, and the layer is what its archive says", async () => {
    const store = await ImageStore.open(directory);
    const platform = { os: "linux", architecture: "amd64", variant: "" };
    const step = { createdMs: 0, author: "", createdBy: "step", config: {}, platform };
    const below = await store.steps.prepare(undefined, "b1");
    mkdirSync(join(below.upperDir, "sys"), { mode: 0o755 });
    const base = await store.steps.add(undefined, {
      ...{ ...step, key: "base", files: { rootfs: below, isSpare: false } },
    });
    // What a mount alone needs is of no layer: nothing is left of this one, though it stays where it is.
    expect(base.layers).to.deep.equal([]);
    expect(existsSync(join(below.upperDir, "sys"))).to.equal(true);

    const rootfs = await store.steps.prepare(base.id, "b2");
    await store.mountRootfs(rootfs);
    mkdirSync(join(rootfs.merged, "etc"));
    for (const name of ["hosts", "hostname"]) writeFileSync(join(rootfs.merged, "etc", name), "");
    writeFileSync(join(rootfs.merged, "etc/hosts"), "kept");
    mkdirSync(join(rootfs.merged, "dev/pts"), { recursive: true });
    makeNode(join(rootfs.merged, "socket"), S_IFSOCK, 0, 0);
    for (let i = 0; i < 300; i++) writeFileSync(join(rootfs.merged, `file${i}`), `${i}`);
    const { ino } = lstatSync(join(rootfs.upperDir, "file7"));
    const files = { rootfs, isSpare: true };
    const made = await store.steps.add(base.id, { ...step, key: "made", files });

    const [layer] = made.layers;
    if (layer === undefined) throw new Error("no layer was made");
    const { lowerDirs } = await store.prepareRootfs(made.id, "c");
    const [taken = ""] = lowerDirs;
    expect(lstatSync(join(taken, "file7")).ino, "taken, not copied").to.equal(ino);
    expect(readdirSync(taken)).to.have.length(301).and.not.include.members(["socket", "dev"]);
    expect(readdirSync(join(taken, "etc"))).to.deep.equal(["hosts"]);
    expect(readdirSync(rootfs.upperDir)).to.deep.equal([]);
    expect(existsSync(join(rootfs.merged, "file7")), "unmounted").to.equal(false);
    expect(digestOf(await packed(taken)), "the archive's digest").to.equal(layer);
    expect(store.layerBytes(layer)).to.equal(4 + 10 + 90 * 2 + 200 * 3);

    for (const id of ["b1", "b2", "c"]) await store.removeRootfs(id);
    await store.close();
  });

  it("leave nothing half made when the process ends while a layer is taken", async () => {
    const store = await ImageStore.open(directory);
    const rootfs = await store.steps.prepare(undefined, "b1");
    writeFileSync(join(rootfs.upperDir, "file"), "x");
    await store.close();
    mkdirSync(join(directory, "overlay/tmp/taken"));
    renameSync(rootfs.upperDir, join(directory, "overlay/tmp/taken/diff"));

    const next = await ImageStore.open(directory);
    expect(readdirSync(join(directory, "overlay/tmp"))).to.deep.equal([]);
    await next.removeRootfs("b1");
    expect(readdirSync(join(directory, "overlay/containers"))).to.deep.equal([]);
    expect(next.list()).to.deep.equal([]);
    await next.close();
  });
});
