import { expect } from "chai";
import { digestOfHex } from "./digest.ts";
import { encodeRecords, type ImageRecord, parseRecords, withNames } from "./image-records.ts";
import { applyRemoval } from "./removal.ts";

function manifest(letter: string) {
  return { mediaType: "m", digest: digestOfHex(letter.repeat(64)), sizeBytes: 1 };
}

/** `name=a`; `=a`: without a name. */
function recordOf(text: string): ImageRecord {
  const [name = "", letter = ""] = text.split("=");
  return { name, manifest: manifest(letter) };
}

function show(records: readonly ImageRecord[]): string[] {
  return records.map(({ name, manifest: { digest } }) => `${name}=${digest.at(-1)}`);
}

describe("image records", () => {
  const naming = [
    { name: "adds names", before: [], names: ["x", "y"], letter: "a", after: ["x=a", "y=a"] },
    { name: "keeps an image without a name", before: [], names: [], letter: "a", after: ["=a"] },
    {
      name: "names an image that had no name",
      before: ["=a"],
      names: ["x"],
      letter: "a",
      after: ["x=a"],
    },
    {
      name: "moves a name, and keeps the image that had it",
      before: ["x=a"],
      names: ["x"],
      letter: "b",
      after: ["=a", "x=b"],
    },
    {
      name: "moves one of two names",
      before: ["x=a", "y=a"],
      names: ["x"],
      letter: "b",
      after: ["y=a", "x=b"],
    },
    { name: "says it again", before: ["x=a"], names: ["x"], letter: "a", after: ["x=a"] },
    {
      name: "keeps the names of what comes again without",
      before: ["x=a"],
      names: [],
      letter: "a",
      after: ["x=a"],
    },
  ];
  for (const { name, before, names, letter, after } of naming) {
    it(name, () => {
      expect(show(withNames(before.map(recordOf), names, manifest(letter)))).to.deep.equal(after);
    });
  }

  const removals = [
    {
      name: "takes a name",
      before: ["x=a", "y=a"],
      untag: ["x"],
      deleteImage: false,
      after: ["y=a"],
    },
    {
      name: "leaves the image without a name",
      before: ["x=a", "z=b"],
      untag: ["x"],
      deleteImage: false,
      after: ["z=b", "=a"],
    },
    {
      name: "takes the image",
      before: ["x=a", "=a", "z=b"],
      untag: ["x"],
      deleteImage: true,
      after: ["z=b"],
    },
  ];
  for (const { name, before, untag, deleteImage, after } of removals) {
    it(name, () => {
      const own = new Set([manifest("a").digest]);
      expect(show(applyRemoval(before.map(recordOf), { untag, deleteImage }, own))).to.deep.equal(
        after,
      );
    });
  }

  it("reads what it wrote", () => {
    const records = ["docker.io/library/x:1=a", "=b"].map(recordOf);
    expect(parseRecords(new TextEncoder().encode(encodeRecords(records)))).to.deep.equal(records);
  });
});
