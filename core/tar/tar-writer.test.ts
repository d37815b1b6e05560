import { expect } from "chai";
import { type TarEntry, TarReader } from "./tar-reader.ts";
import { ARCHIVE_END, tarHeader, tarPadding } from "./tar-writer.ts";

/** What our own reader makes of it. */
function read(...pieces: readonly Uint8Array[]) {
  const entries: Pick<TarEntry, "name" | "type" | "sizeBytes">[] = [];
  const reader = new TarReader({
    onEntry: ({ name, type, sizeBytes }) => entries.push({ name, type, sizeBytes }),
    onContent: () => {},
    onEntryEnd: () => {},
  });
  for (const piece of pieces) reader.push(piece);
  return { entries, finish: () => reader.finish() };
}

describe("tar writer", () => {
  it("writes files and directories that are read back", () => {
    const content = Buffer.from("hello");
    const { entries, finish } = read(
      tarHeader("blobs/", 0),
      tarHeader("blobs/a", content.length),
      content,
      tarPadding(content.length),
      ARCHIVE_END,
    );
    finish();
    expect(entries).to.deep.equal([
      { name: "blobs/", type: "directory", sizeBytes: 0 },
      { name: "blobs/a", type: "file", sizeBytes: 5 },
    ]);
  });

  it("pads nothing behind a whole block", () => {
    expect(tarPadding(1024)).to.have.lengthOf(0);
    expect(tarPadding(1)).to.have.lengthOf(511);
  });

  it("writes sizes above 8 GiB", () => {
    const size = 20 * 1024 ** 3;
    expect(read(tarHeader("big", size)).entries[0]?.sizeBytes).to.equal(size);
  });
});
