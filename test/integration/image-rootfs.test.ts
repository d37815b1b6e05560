import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import { ImageStore } from "../../runtime/image/image-store.ts";
import type { Image } from "../../runtime/image/types.ts";
import { unmount } from "../../runtime/linux/mount.ts";
import { failureOf } from "../support/failure-of.ts";
import { packOciArchive } from "../support/image-archive.ts";
import { packTar } from "../support/tar-writer.ts";

const LOWER = packTar([
  { name: "etc/" },
  { name: "etc/lower", content: "lower" },
  { name: "etc/hidden", content: "hidden" },
  { name: "opaque/" },
  { name: "opaque/old", content: "old" },
]);
const UPPER = packTar([
  { name: "etc/" },
  { name: "etc/upper", content: "upper" },
  { name: "etc/.wh.hidden" },
  { name: "opaque/" },
  { name: "opaque/.wh..wh..opq" },
  { name: "opaque/new", content: "new" },
]);
const LAYERS_MAX = 127;

describe("root file systems of containers", () => {
  let directory: string;
  let root: string;
  let store: ImageStore;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-rootfs-"));
  });
  beforeEach(async () => {
    root = mkdtempSync(join(directory, "store-"));
    store = await ImageStore.open(root);
  });
  afterEach(async () => {
    if (store === undefined) return;
    for (const id of readdirSync(join(root, "overlay/containers"))) await store.removeRootfs(id);
    await store.close();
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function imageOf(name: string, layers: readonly Buffer[]): Promise<Image> {
    const archive = packOciArchive({ name, layers, settings: {} });
    const [loaded] = await store.load(Readable.from([archive]));
    if (loaded === undefined) throw new Error("nothing was loaded");
    return loaded.image;
  }

  function layersOnDisk(): number {
    return readdirSync(join(root, "overlay/layers")).length;
  }

  it("shows the layers over each other, and keeps writes apart", async () => {
    const image = await imageOf("app", [LOWER, UPPER]);
    const one = await store.prepareRootfs(image.id, "one");
    const two = await store.prepareRootfs(image.id, "two");
    await store.mountRootfs(one);
    await store.mountRootfs(two);
    expect(readdirSync(join(one.merged, "etc"))).to.have.members(["lower", "upper"]);
    expect(readdirSync(join(one.merged, "opaque"))).to.deep.equal(["new"]);
    writeFileSync(join(one.merged, "etc/lower"), "changed");
    expect(readFileSync(join(two.merged, "etc/lower"), "utf8")).to.equal("lower");
  });

  it("mounts as many layers as an image may have", async function () {
    this.timeout(60_000);
    const layers = Array.from({ length: LAYERS_MAX }, (_, i) =>
      packTar([{ name: `file${i}`, content: `${i}` }]),
    );
    const rootfs = await store.prepareRootfs((await imageOf("many", layers)).id, "many");
    await store.mountRootfs(rootfs);
    expect(readdirSync(rootfs.merged)).to.have.length(LAYERS_MAX);
  });

  const odd: { name: string; layers: readonly Buffer[]; files: readonly string[] }[] = [
    { name: "no layer", layers: [], files: [] },
    { name: "a layer twice", layers: [LOWER, UPPER, LOWER], files: ["etc", "opaque"] },
  ];
  for (const { name, layers, files } of odd) {
    it(`mounts an image with ${name}`, async () => {
      const rootfs = await store.prepareRootfs((await imageOf("odd", layers)).id, "odd");
      await store.mountRootfs(rootfs);
      expect(readdirSync(rootfs.merged)).to.have.members(files);
    });
  }

  it("finds what it made after a restart, mounted or not, and removes what was half made", async () => {
    const image = await imageOf("app", [LOWER]);
    const rootfs = await store.prepareRootfs(image.id, "kept");
    await store.mountRootfs(rootfs);
    const half = await store.prepareRootfs(image.id, "half");
    rmSync(join(half.upperDir, "../rootfs.json"));
    await store.close();

    store = await ImageStore.open(root);
    expect(await store.prepareRootfs(image.id, "kept")).to.deep.equal(rootfs);
    await store.mountRootfs(rootfs);
    unmount(rootfs.merged);
    expect(readdirSync(rootfs.merged), "mounted twice").to.deep.equal([]);
    expect(readdirSync(join(root, "overlay/containers"))).to.deep.equal(["kept"]);
  });

  it("is mounted again with all its changes right after it was unmounted", async () => {
    const rootfs = await store.prepareRootfs((await imageOf("app", [LOWER])).id, "again");
    for (const round of ["1", "2", "3"]) {
      await store.mountRootfs(rootfs);
      writeFileSync(join(rootfs.merged, round), "");
      await store.unmountRootfs(rootfs);
      expect(readdirSync(rootfs.merged), "unmounted").to.deep.equal([]);
    }
    await store.unmountRootfs(rootfs);
    await store.mountRootfs(rootfs);
    expect(readdirSync(rootfs.merged)).to.have.members(["1", "2", "3", "etc", "opaque"]);
  });

  it("is gone at once when it is removed, mounted or not, and can be made anew", async () => {
    const { id } = await imageOf("app", [LOWER]);
    const rootfs = await store.prepareRootfs(id, "anew");
    await store.mountRootfs(rootfs);
    writeFileSync(join(rootfs.merged, "old"), "");
    await store.removeRootfs("anew");
    expect(existsSync(rootfs.upperDir)).to.equal(false);
    expect(await store.prepareRootfs(id, "anew")).to.deep.equal(rootfs);
    await store.mountRootfs(rootfs);
    expect(readdirSync(rootfs.merged)).to.have.members(["etc", "opaque"]);
  });

  it("does not remove an image that a container uses, unless forced; then it goes with the container", async () => {
    const image = await imageOf("app", [LOWER]);
    const rootfs = await store.prepareRootfs(image.id, "user");
    const error = await failureOf(store.remove("app"));
    expect(error).to.include({ code: "FailedPrecondition" });
    expect(error.message).to.match(/container user is using/);

    expect(await store.remove("app", { force: true })).to.deep.equal({
      untagged: ["app:latest"],
      deleted: [],
      reclaimedBytes: 0,
    });
    await store.mountRootfs(rootfs);
    expect(existsSync(join(rootfs.merged, "etc/lower"))).to.equal(true);
    await store.removeRootfs("user");
    const { deleted } = await store.remove(image.id);
    expect(deleted).to.deep.equal([image.id, ...image.layers]);
    expect(layersOnDisk()).to.equal(1);
  });

  it("keeps layers another image has", async () => {
    await imageOf("one", [LOWER, UPPER]);
    const two = await imageOf("two", [LOWER]);
    expect(layersOnDisk()).to.equal(3);
    await store.remove("one");
    expect(layersOnDisk()).to.equal(2);
    expect(store.list()).to.deep.equal([two]);
    expect(await store.remove("two")).to.deep.equal({
      untagged: ["two:latest"],
      deleted: [two.id, ...two.layers],
      reclaimedBytes: two.sizeBytes,
    });
    expect(readdirSync(join(root, "image/blobs/sha256"))).to.deep.equal([]);
  });

  it("gives further names, and takes them", async () => {
    const image = await imageOf("app", [LOWER]);
    await store.tag("app", "localhost:5000/team/app:v2");
    expect(store.get("localhost:5000/team/app:v2").id).to.equal(image.id);
    await store.remove("app");
    expect(store.get(image.id).repoTags).to.deep.equal(["localhost:5000/team/app:v2"]);
    expect(await failureOf(store.tag("app", "x"))).to.include({ code: "NotFound" });
    expect(await failureOf(store.tag(image.id, `x@${image.id}`))).to.include({
      code: "InvalidArgument",
    });
  });

  it("removes a root file system that is not there without complaint", async () => {
    await store.removeRootfs("nothing");
  });
});
