import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { ImageStore } from "../../runtime/image/image-store.ts";
import { unmount } from "../../runtime/linux/mount.ts";
import { failureOf } from "../support/failure-of.ts";
import {
  configOf,
  type ImageParts,
  packDockerArchive,
  packOciArchive,
} from "../support/image-archive.ts";
import { packTar, type TarInput } from "../support/tar-writer.ts";

/** The layer of no bytes, which every store has. */
const EMPTY_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const LOWER = packTar([{ name: "etc/" }, { name: "etc/lower", content: "lower" }]);
const UPPER = packTar([{ name: "etc/" }, { name: "etc/upper", content: "upper" }]);

function partsOf(name: string, layers: readonly Buffer[]): ImageParts {
  return { name, layers, settings: { Cmd: ["sh"] } };
}

describe("images of archives", () => {
  let directory: string;
  let root: string;
  let store: ImageStore;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-archive-"));
  });
  beforeEach(async () => {
    root = mkdtempSync(join(directory, "store-"));
    store = await ImageStore.open(root);
  });
  afterEach(() => store?.close());
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** In pieces that fit no block. */
  function load(archive: Buffer) {
    const pieces = [];
    for (let i = 0; i < archive.length; i += 1000) pieces.push(archive.subarray(i, i + 1000));
    return store.load(Readable.from(pieces));
  }

  /** Everything on disk that is not there in an empty store. */
  function remains(): string[] {
    const layers = readdirSync(join(root, "overlay/layers")).filter((hex) => hex !== EMPTY_HEX);
    const half = ["image/blobs/sha256", "image/ingest", "overlay/tmp", "overlay/containers"];
    return [...layers, ...half.flatMap((path) => readdirSync(join(root, path)))];
  }

  const forms = [
    { name: "OCI", pack: packOciArchive },
    { name: "docker save", pack: packDockerArchive },
  ];
  for (const { name, pack } of forms) {
    it(`loads an archive of ${name}, a layer that comes twice too`, async () => {
      const [loaded] = await load(pack(partsOf("team/app:v1", [LOWER, UPPER, LOWER])));
      expect(loaded?.names).to.deep.equal(["team/app:v1"]);
      expect(loaded?.image).to.deep.equal(store.get("team/app:v1"));
      expect(loaded?.image.layers).to.have.length(3);
    });

    it(`loads an archive of ${name} without a name`, async () => {
      const [loaded] = await load(pack(partsOf("", [LOWER])));
      expect(loaded?.names).to.deep.equal([]);
      expect(store.get(loaded?.image.id ?? "").repoTags).to.deep.equal([]);
    });

    it(`keeps an image whose name another takes: ${name}`, async () => {
      const [first] = await load(pack(partsOf("app", [LOWER])));
      await load(pack(partsOf("app", [UPPER])));
      expect(store.list()).to.have.length(2);
      expect(store.get(first?.image.id ?? "").repoTags).to.deep.equal([]);
    });
  }

  it("writes an OCI layout that says the same", async () => {
    await load(packOciArchive(partsOf("app:v1", [LOWER])));
    const tar = execFileSync("tar", ["-C", join(root, "image"), "-cf", "-", "."]);
    const other = await ImageStore.open(join(root, "other"));
    const [loaded] = await other.load(Readable.from([tar]));
    expect(loaded?.image).to.deep.equal(store.get("app:v1"));
    await other.close();
  });

  const bad: { name: string; archive: () => Buffer; code: string; reason: RegExp }[] = [
    {
      name: "that is no archive",
      archive: () => Buffer.from("x".repeat(2000)),
      code: "InvalidArgument",
      reason: /malformed archive/,
    },
    {
      name: "of something else",
      archive: () => packTar([{ name: "file", content: "x" }]),
      code: "InvalidArgument",
      reason: /not an image archive/,
    },
    {
      name: "that ends too early",
      archive: () => {
        const whole = packOciArchive(partsOf("app", [LOWER]));
        return whole.subarray(0, whole.indexOf("imageLayoutVersion"));
      },
      code: "DataLoss",
      reason: /truncated/,
    },
    {
      name: "without a layer it names",
      archive: () =>
        packTar([
          { name: "c.json", content: configOf(partsOf("", [LOWER])) },
          {
            name: "manifest.json",
            content: JSON.stringify([{ Config: "c.json", Layers: ["../../etc/passwd"] }]),
          },
        ]),
      code: "InvalidArgument",
      reason: /has no "\.\.\/\.\.\/etc\/passwd"/,
    },
    {
      name: "whose layer is not what its configuration says",
      archive: () =>
        packTar([
          { name: "c.json", content: configOf(partsOf("", [LOWER])) },
          { name: "l.tar", content: UPPER },
          {
            name: "manifest.json",
            content: JSON.stringify([{ Config: "c.json", Layers: ["l.tar"] }]),
          },
        ]),
      code: "DataLoss",
      reason: /has digest .* its image says/,
    },
    {
      name: "with a layer that ends too early",
      archive: () =>
        packTar([
          { name: "c.json", content: configOf(partsOf("", [LOWER])) },
          { name: "l.tar", content: gzipSync(LOWER).subarray(0, 60) },
          {
            name: "manifest.json",
            content: JSON.stringify([{ Config: "c.json", Layers: ["l.tar"] }]),
          },
        ]),
      code: "DataLoss",
      reason: /truncated/,
    },
    {
      name: "of something that is not a container image",
      archive: () =>
        packTar([
          { name: "c.json", content: "{}" },
          { name: "manifest.json", content: JSON.stringify([{ Config: "c.json", Layers: [] }]) },
        ]),
      code: "InvalidArgument",
      reason: /not a container image/,
    },
  ];
  for (const { name, archive, code, reason } of bad) {
    it(`refuses an archive ${name}, and keeps nothing of it`, async () => {
      const error = await failureOf(load(archive()));
      expect(error).to.include({ code });
      expect(error.message).to.match(reason);
      expect(store.list()).to.deep.equal([]);
      await store.close();
      store = await ImageStore.open(root);
      expect(remains()).to.deep.equal([]);
    });
  }

  it("refuses a layer that reaches out, and writes nothing outside", async () => {
    const outside = join(directory, "outside");
    mkdirSync(outside);
    const entries: TarInput[][] = [
      [{ name: `../../../../../../../../..${outside}/x`, content: "x" }],
      [{ name: `${outside}/x`, content: "x" }],
      [
        { name: "l", type: "symlink", linkName: outside },
        { name: "l/x", content: "x" },
      ],
      [
        { name: "l", type: "symlink", linkName: `../../../../../../../..${outside}` },
        { name: "l/x", content: "x" },
      ],
      [{ name: "x", type: "hardLink", linkName: "/etc/passwd" }],
      [{ name: "x", type: "hardLink", linkName: "../../../../../../../../etc/passwd" }],
    ];
    for (const layer of entries) {
      const error = await failureOf(load(packOciArchive(partsOf("app", [packTar(layer)]))));
      expect(error).to.include({ code: "InvalidArgument" });
      expect(error.message).to.match(/layer refused: entry /);
    }
    expect(readdirSync(outside)).to.deep.equal([]);
    expect(readdirSync(join(root, "overlay/layers"))).to.deep.equal([EMPTY_HEX]);
    expect(store.list()).to.deep.equal([]);
  });

  it("says which directory is full, and takes its part away", async () => {
    const small = join(root, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
    const full = await ImageStore.open(small);
    try {
      const large = packTar([{ name: "zeros", content: Buffer.alloc(3_000_000) }]);
      const archive = packOciArchive(partsOf("app", [large]));
      const error = await failureOf(full.load(Readable.from([archive])));
      expect(error).to.include({ code: "ResourceExhausted" });
      expect(error.message).to.include(`${small}/overlay/layers: no space left on device`);
      expect(full.list()).to.deep.equal([]);
      expect(readdirSync(join(small, "overlay/tmp"))).to.deep.equal([]);
    } finally {
      await full.close();
      unmount(small);
    }
  });
});
