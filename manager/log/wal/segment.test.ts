import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { encodeBatch, type WalBatch } from "./batch.ts";
import { encodeRecord } from "./record.ts";
import {
  encodeSegmentHeader,
  readSegment,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumber,
} from "./segment.ts";

const FILE_BYTES = 4096;
const HEADER = { number: 3, firstSequence: 40, raftId: 5, salt: 0xfeed };

function batchOf(index: number): WalBatch {
  const data = Buffer.from(`entry ${index}`);
  return {
    hardState: index % 2 === 0 ? { term: 2, vote: 5, commit: index - 1 } : undefined,
    restart: undefined,
    entries: [{ index, term: 2, kind: "normal", data }],
  };
}

/** A segment with these batches and where each starts. */
function segmentOf(batches: readonly WalBatch[]): { bytes: Uint8Array; starts: number[] } {
  const bytes = new Uint8Array(FILE_BYTES);
  bytes.set(encodeSegmentHeader(HEADER));
  const starts: number[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  for (const [i, batch] of batches.entries()) {
    const place = { offset, sequence: HEADER.firstSequence + i, salt: HEADER.salt };
    const record = encodeRecord(encodeBatch(batch), place);
    bytes.set(record, offset);
    starts.push(offset);
    offset += record.length;
  }
  return { bytes, starts: [...starts, offset] };
}

describe("wal segment", () => {
  it("names files so that they sort by number", () => {
    expect(segmentName(12)).to.equal("0000000012.wal");
    expect(segmentNumber("0000000012.wal")).to.equal(12);
    expect(segmentNumber("spare.tmp")).to.equal(undefined);
  });

  it("reads back header, batches and the place of the next record", () => {
    const batches = [1, 2, 3].map(batchOf);
    const { bytes, starts } = segmentOf(batches);
    const read = readSegment("s.wal", bytes, { isLast: true });
    expect(read.header).to.deep.equal(HEADER);
    expect(read.batches).to.deep.equal(batches);
    expect(read.nextSequence).to.equal(43);
    expect(read.endOffset).to.equal(starts[3]);
    expect(read.torn).to.equal(undefined);
  });

  it("cuts the last record at any byte and keeps all before it", () => {
    const { bytes, starts } = segmentOf([1, 2, 3].map(batchOf));
    const [, , last = 0, end = 0] = starts;
    const lastUsed = bytes.findLastIndex((byte) => byte !== 0);
    for (let cut = last; cut <= lastUsed; cut++) {
      const torn = bytes.slice();
      torn.fill(0, cut, end);
      const read = readSegment("s.wal", torn, { isLast: true });
      expect(read.batches, `cut at ${cut}`).to.have.length(2);
      expect(read.endOffset).to.equal(last);
      expect(read.torn === undefined).to.equal(cut === last);
    }
  });

  it("cuts off a last record whose first sector was lost", () => {
    const large = { ...batchOf(2), entries: [entryOfBytes(2000)] };
    const { bytes, starts } = segmentOf([batchOf(1), large]);
    bytes.fill(0, starts[1], 512);
    const read = readSegment("s.wal", bytes, { isLast: true });
    expect(read.batches).to.have.length(1);
    expect(read.torn).to.match(/header is missing/);
  });

  it("refuses any flipped bit in any record, naming file and byte", () => {
    const { bytes, starts } = segmentOf([1, 2, 3].map(batchOf));
    for (let bit = 0; bit < (starts[3] ?? 0) * 8; bit++) {
      const flipped = bytes.slice();
      const at = bit >> 3;
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
      const error = errorOf(() => readSegment("/log/s.wal", flipped, { isLast: true }));
      expect(error?.message, `bit ${bit}`).to.contain("/log/s.wal");
      const start = starts.findLast((offset) => offset <= at) ?? 0;
      expect(error?.details.offset ?? 0, `bit ${bit}`).to.equal(start);
    }
  });

  it("refuses a lost record with a whole one behind it: that one was acknowledged", () => {
    const { bytes, starts } = segmentOf([1, 2, 3].map(batchOf));
    bytes.fill(0, starts[1], starts[2]);
    const error = errorOf(() => readSegment("s.wal", bytes, { isLast: true }));
    expect(error?.code).to.equal("DataLoss");
    expect(error?.message).to.contain("a later record is whole");
  });

  it("refuses a torn record in a segment that has a successor", () => {
    const { bytes, starts } = segmentOf([1, 2].map(batchOf));
    bytes.fill(0, (starts[1] ?? 0) + 40, starts[2]);
    expect(errorOf(() => readSegment("s.wal", bytes, { isLast: false }))?.code).to.equal(
      "DataLoss",
    );
  });

  it("refuses a file of a newer format with what it can read", () => {
    const { bytes } = segmentOf([]);
    expect(
      errorOf(() => readSegment("s.wal", bytes.slice(0, 10), { isLast: true }))?.code,
    ).to.equal("DataLoss");
  });
});

function entryOfBytes(length: number): WalBatch["entries"][number] {
  return { index: 2, term: 2, kind: "normal", data: Buffer.alloc(length, 7) };
}

function errorOf(action: () => unknown): ClusterError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
}
