import { expect } from "chai";
import { failureOf } from "../../../test/support/failure-of.ts";
import { dataKeyOf, newDataKey, singleKey } from "./data-key.ts";
import { FileSeal, SEAL_BYTES } from "./file-seal.ts";

const KEYS = singleKey(newDataKey());
const PLAIN = Buffer.from("the CA's private key");

function reader(seal: FileSeal, file: string, keys = KEYS): FileSeal {
  const found = FileSeal.of("/log/f", seal.head, { keys, file });
  if (found === undefined) throw new Error("it is sealed");
  return found;
}

describe("file seal", () => {
  it("opens what was sealed, in its file and at its place only", () => {
    const seal = FileSeal.begin(KEYS, "segment 1");
    const sealed = seal.seal(PLAIN, "record 1");
    expect(sealed).to.have.length(PLAIN.length + SEAL_BYTES);
    expect(Buffer.from(sealed).includes("private")).to.equal(false);
    expect(Buffer.from(reader(seal, "segment 1").open(sealed, "record 1") ?? [])).to.deep.equal(
      PLAIN,
    );
    expect(reader(seal, "segment 1").open(sealed, "record 2")).to.equal(undefined);
    expect(reader(seal, "segment 2").open(sealed, "record 1")).to.equal(undefined);
    const other = FileSeal.begin(KEYS, "segment 1");
    expect(other.open(sealed, "record 1")).to.equal(undefined);
  });

  it("opens nothing of which a bit turned or the end is missing", () => {
    const seal = FileSeal.begin(KEYS, "f");
    const sealed = seal.seal(PLAIN, "p");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(seal.open(flipped, "p"), `bit ${bit}`).to.equal(undefined);
    }
    for (let length = 0; length < sealed.length; length++)
      expect(seal.open(sealed.subarray(0, length), "p"), `cut at ${length}`).to.equal(undefined);
  });

  it("seals the same bytes differently each time", () => {
    const seal = FileSeal.begin(KEYS, "f");
    expect(seal.seal(PLAIN, "p")).to.not.deep.equal(seal.seal(PLAIN, "p"));
  });

  it("names the file and the key it has not", async () => {
    const seal = FileSeal.begin(KEYS, "f");
    const error = await failureOf((async () => reader(seal, "f", singleKey(newDataKey())))());
    expect(error.code).to.equal("FailedPrecondition");
    expect(error.message).to.contain("/log/f").and.to.contain(KEYS.current.id);
  });

  it("takes no file in clear from where all are sealed", async () => {
    const read = async () => FileSeal.of("/log/f", undefined, { keys: KEYS, file: "f" });
    const error = await failureOf(read());
    expect(error.code).to.equal("DataLoss");
    const both = { ...KEYS, readsClear: true };
    expect(FileSeal.of("/log/f", undefined, { keys: both, file: "f" })).to.equal(undefined);
  });

  it("tells keys apart by an id that is not in their bytes", () => {
    const bytes = new Uint8Array(32).fill(7);
    expect(dataKeyOf(bytes).id).to.match(/^[0-9a-f]{16}$/);
    expect(dataKeyOf(bytes).id).to.equal(dataKeyOf(bytes.slice()).id);
    expect(Buffer.from(bytes).toString("hex")).to.not.contain(dataKeyOf(bytes).id);
  });
});
