import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { packLocal } from "../../cli/copy/pack-local.ts";
import { unpackLocal } from "../../cli/copy/unpack-local.ts";
import { failureOf } from "../support/failure-of.ts";
import { packTar, type TarInput } from "../support/tar-writer.ts";

describe("muster cp on its own side", () => {
  let folder: string;
  let warnings: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "muster-copy-"));
    mkdirSync(join(folder, "to"));
    warnings = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const warn = (text: string) => void warnings.push(text);
  const unpack = async (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
    const options = { from: "", to: undefined, keepsOwners: false, warn };
    await unpackLocal(toAsync(chunks), join(folder, "to"), options);
  };
  async function* toAsync(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    yield* chunks;
  }

  it("what is packed is the same when it is unpacked", async () => {
    mkdirSync(join(folder, "from/sub"), { recursive: true });
    writeFileSync(join(folder, "from/sub/ü"), "content");
    chmodSync(join(folder, "from/sub"), 0o711);
    chmodSync(join(folder, "from/sub/ü"), 0o4640);
    symlinkSync("../nowhere", join(folder, "from/sub/link"));
    await unpack(packLocal(join(folder, "from"), "name", false, { keepsOwners: false, warn }));
    const at = (path: string) => lstatSync(join(folder, "to/name/sub", path));
    expect(readFileSync(join(folder, "to/name/sub/ü"), "utf8")).to.equal("content");
    expect(at("ü").mode).to.equal(0o104640);
    expect(at(".").mode).to.equal(0o040711);
    expect(at("link").isSymbolicLink()).to.equal(true);
    expect(warnings).to.deep.equal([]);
  });

  const OUTSIDE: { readonly what: string; readonly entries: readonly TarInput[] }[] = [
    { what: "a name with ..", entries: [{ name: "../canary", content: "dead" }] },
    {
      what: "a link out and a file through it",
      entries: [
        { name: "l", type: "symlink", linkName: ".." },
        { name: "l/canary", content: "dead" },
      ],
    },
    {
      what: "a link to a directory out and a file in it",
      entries: [
        { name: "d/" },
        { name: "d/l", type: "symlink", linkName: "/" },
        { name: "d/l/muster-canary", content: "dead" },
      ],
    },
    { what: "a hard link out", entries: [{ name: "h", type: "hardLink", linkName: "../canary" }] },
    {
      what: "a hard link through a link",
      entries: [
        { name: "l", type: "symlink", linkName: ".." },
        { name: "h", type: "hardLink", linkName: "l/canary" },
      ],
    },
  ];
  for (const { what, entries } of OUTSIDE)
    it(`writes nothing outside: ${what}`, async () => {
      writeFileSync(join(folder, "canary"), "alive");
      const { message } = await failureOf(unpack([packTar(entries)]));
      expect(message).to.contain("leads outside");
      expect(readFileSync(join(folder, "canary"), "utf8")).to.equal("alive");
      expect(existsSync("/muster-canary")).to.equal(false);
      expect(existsSync(join(folder, "to/h"))).to.equal(false);
    });

  it("a link in the place of a file is replaced, not followed", async () => {
    writeFileSync(join(folder, "canary"), "alive");
    symlinkSync("../canary", join(folder, "to/f"));
    await unpack([packTar([{ name: "f", content: "new" }])]);
    expect(readFileSync(join(folder, "to/f"), "utf8")).to.equal("new");
    expect(readFileSync(join(folder, "canary"), "utf8")).to.equal("alive");
  });

  it("devices are left out and told; of a file that is not whole nothing stays", async () => {
    await unpack([packTar([{ name: "zero", type: "charDevice", major: 1, minor: 5 }])]);
    expect(warnings.join("")).to.contain("left out");
    const whole = packTar([{ name: "half", content: "x".repeat(10_000) }]);
    await failureOf(unpack([whole.subarray(0, 5000)]));
    expect(existsSync(join(folder, "to/half"))).to.equal(false);
  });
});
