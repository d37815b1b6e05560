import { expect } from "chai";
import fc from "fast-check";
import { LayerPlanner } from "../../runtime/image/layer/layer-plan.ts";
import { packTar } from "../../test/support/tar-writer.ts";
import { ClusterError } from "../errors.ts";
import { encodeTarEntry } from "./tar-encode.ts";
import { type TarEntry, TarReader, type TarSink } from "./tar-reader.ts";
import { ARCHIVE_END, tarPadding } from "./tar-writer.ts";

/** Bytes of a name as the reader gives them; a name has no zero, and ends with no slash by itself. */
const name = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 300 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"))
  .filter((text) => !text.endsWith("/"));
const entry: fc.Arbitrary<TarEntry> = fc.record({
  type: fc.constantFrom("file" as const, "fifo" as const, "charDevice" as const),
  name,
  linkName: fc.constant(""),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  sizeBytes: fc.constant(0),
  mtime: fc.record({ seconds: fc.integer({ min: 0, max: 2 ** 33 - 1 }), nanos: fc.constant(0) }),
  major: fc.integer({ min: 0, max: 4095 }),
  minor: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
  xattrs: fc
    .array(fc.tuple(fc.stringMatching(/^user\.[a-z]{1,20}$/), fc.uint8Array({ minLength: 1 })))
    .map((pairs) => new Map(pairs)),
});

/** A layer's paths, and nothing else of it. */
class Paths implements TarSink {
  readonly seen: string[] = [];
  readonly #planner = new LayerPlanner();

  onEntry(one: TarEntry): void {
    for (const step of this.#planner.plan(one)) this.seen.push(step.path);
  }
  onContent(): void {}
  onEntryEnd(): void {}
}

const ARCHIVE = packTar([
  { name: "etc/", mode: 0o755 },
  { name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\n" },
  { name: `${"long/".repeat(30)}name`, content: "x", xattrs: { "user.a": Buffer.from("b") } },
  { name: "bin", type: "symlink", linkName: "usr/bin" },
  { name: "usr/bin/sh", content: "#!" },
  { name: "usr/bin/ash", type: "hardLink", linkName: "usr/bin/sh" },
  { name: "dev/.wh.null", content: "" },
]);

describe("property: tar", () => {
  it("what is written is what is read", () => {
    fc.assert(
      fc.property(entry, (written) => {
        const read: TarEntry[] = [];
        const sink = {
          onEntry: (one: TarEntry) => read.push(one),
          onContent() {},
          onEntryEnd() {},
        };
        const reader = new TarReader(sink);
        for (const piece of [encodeTarEntry(written), tarPadding(0), ARCHIVE_END])
          reader.push(piece);
        reader.finish();
        expect(read).to.have.lengthOf(1);
        const { xattrs, ...rest } = read[0] as TarEntry;
        const { xattrs: attributes, ...facts } = written;
        expect(rest).to.deep.equal(facts);
        const plain = (map: TarEntry["xattrs"]) =>
          [...map].map(([key, value]) => [key, Buffer.from(value).toString("hex")]);
        expect(plain(xattrs)).to.have.deep.members(plain(attributes));
      }),
      { numRuns: 300 },
    );
  });

  it("what is damaged is refused in our words, or stays within the layer", () => {
    const damage = fc.array(fc.tuple(fc.nat(ARCHIVE.length - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(damage, fc.integer({ min: 1, max: 1500 }), (changes, pieceBytes) => {
        const bytes = Buffer.from(ARCHIVE);
        for (const [at, value] of changes) bytes[at] = value;
        const paths = new Paths();
        try {
          const reader = new TarReader(paths);
          for (let at = 0; at < bytes.length; at += pieceBytes)
            reader.push(bytes.subarray(at, at + pieceBytes));
          reader.finish();
        } catch (error) {
          if (!(error instanceof ClusterError)) throw error;
        }
        const outside = paths.seen.filter(
          (path) => path.startsWith("/") || path.split("/").includes(".."),
        );
        expect(outside).to.deep.equal([]);
      }),
      { numRuns: 2000 },
    );
  });
});
