import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { newDataKey, singleKey } from "../seal/data-key.ts";
import { FileSeal } from "../seal/file-seal.ts";
import { encodeBatch, type WalBatch } from "./batch.ts";
import { encodeRecord } from "./record.ts";
import {
  encodeSegmentHeader,
  readSegment,
  SEGMENT_HEADER_BYTES,
  sealPayload,
  segmentFile,
  segmentName,
  segmentNumber,
} from "./segment.ts";

const FILE_BYTES = 4096;
const IS = { number: 3, firstSequence: 40, raftId: 5, salt: 0xfeed };
const KEYS = singleKey(newDataKey());

function batchOf(index: number): WalBatch {
  const data = Buffer.from(`entry ${index}`);
  return {
    hardState: index % 2 === 0 ? { term: 2, vote: 5, commit: index - 1 } : undefined,
    restart: undefined,
    entries: [{ index, term: 2, kind: "normal", data }],
  };
}

/** A segment with these batches and where each starts. */
function makeSegment(
  batches: readonly WalBatch[],
  seal: FileSeal | undefined,
): { bytes: Uint8Array; starts: number[] } {
  const bytes = new Uint8Array(FILE_BYTES);
  bytes.set(encodeSegmentHeader({ ...IS, seal: seal?.head }));
  const starts: number[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  for (const [i, batch] of batches.entries()) {
    const place = { offset, sequence: IS.firstSequence + i, salt: IS.salt };
    const record = encodeRecord(sealPayload(seal, encodeBatch(batch), place), place);
    bytes.set(record, offset);
    starts.push(offset);
    offset += record.length;
  }
  return { bytes, starts: [...starts, offset] };
}

for (const keys of [undefined, KEYS]) {
  const seal = keys === undefined ? undefined : FileSeal.begin(keys, segmentFile(IS));
  const segmentOf = (batches: readonly WalBatch[]) => makeSegment(batches, seal);
  const LAST = { isLast: true, keys };

  describe(`wal segment, ${keys === undefined ? "in clear" : "sealed"}`, () => {
    it("names files so that they sort by number", () => {
      expect(segmentName(12)).to.equal("0000000012.wal");
      expect(segmentNumber("0000000012.wal")).to.equal(12);
      expect(segmentNumber("spare.tmp")).to.equal(undefined);
    });

    it("reads back header, batches and the place of the next record", () => {
      const batches = [1, 2, 3].map(batchOf);
      const { bytes, starts } = segmentOf(batches);
      const read = readSegment("s.wal", bytes, LAST);
      expect(read.header).to.deep.equal({ ...IS, seal: seal?.head });
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
        const read = readSegment("s.wal", torn, LAST);
        expect(read.batches, `cut at ${cut}`).to.have.length(2);
        expect(read.endOffset).to.equal(last);
        expect(read.torn === undefined).to.equal(cut === last);
      }
    });

    it("cuts off a last record whose first sector was lost", () => {
      const large = { ...batchOf(2), entries: [entryOfBytes(2000)] };
      const { bytes, starts } = segmentOf([batchOf(1), large]);
      bytes.fill(0, starts[1], 512);
      const read = readSegment("s.wal", bytes, LAST);
      expect(read.batches).to.have.length(1);
      expect(read.torn).to.match(/header is missing/);
    });

    it("refuses any flipped bit in any record, naming file and byte", () => {
      const { bytes, starts } = segmentOf([1, 2, 3].map(batchOf));
      for (let bit = 0; bit < (starts[3] ?? 0) * 8; bit++) {
        const flipped = bytes.slice();
        const at = bit >> 3;
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
        const error = errorOf(() => readSegment("/log/s.wal", flipped, LAST));
        expect(error?.message, `bit ${bit}`).to.contain("/log/s.wal");
        const start = starts.findLast((offset) => offset <= at) ?? 0;
        expect(error?.details.offset ?? 0, `bit ${bit}`).to.equal(start);
      }
    });

    it("refuses a lost record with a whole one behind it: that one was acknowledged", () => {
      const { bytes, starts } = segmentOf([1, 2, 3].map(batchOf));
      bytes.fill(0, starts[1], starts[2]);
      const error = errorOf(() => readSegment("s.wal", bytes, LAST));
      expect(error?.code).to.equal("DataLoss");
      expect(error?.message).to.contain("a later record is whole");
    });

    it("refuses a torn record in a segment that has a successor", () => {
      const { bytes, starts } = segmentOf([1, 2].map(batchOf));
      bytes.fill(0, (starts[1] ?? 0) + 40, starts[2]);
      expect(errorOf(() => readSegment("s.wal", bytes, { isLast: false, keys }))?.code).to.equal(
        "DataLoss",
      );
    });

    it("refuses a file of a newer format with what it can read", () => {
      const { bytes } = segmentOf([]);
      expect(errorOf(() => readSegment("s.wal", bytes.slice(0, 10), LAST))?.code).to.equal(
        "DataLoss",
      );
    });
  });
}

describe("wal segment: its seal", () => {
  const seal = FileSeal.begin(KEYS, segmentFile(IS));
  const { bytes, starts } = makeSegment([1, 2].map(batchOf), seal);

  it("shows nothing of the entries", () => {
    expect(Buffer.from(bytes).includes("entry")).to.equal(false);
  });

  it("refuses a record put in another one's place, naming its byte", () => {
    const forged = makeSegment([], seal).bytes;
    const place = { offset: starts[0] ?? 0, sequence: IS.firstSequence };
    const stolen = sealPayload(seal, encodeBatch(batchOf(1)), { ...place, sequence: 41 });
    forged.set(encodeRecord(stolen, { ...place, salt: IS.salt }), place.offset);
    const error = errorOf(() => readSegment("/log/s.wal", forged, { isLast: true, keys: KEYS }));
    expect(error?.message).to.contain("/log/s.wal is damaged at byte 64: its seal is broken");
  });

  it("refuses a segment whose header was written anew for another number", () => {
    const renamed = bytes.slice();
    renamed.set(encodeSegmentHeader({ ...IS, number: 4, seal: seal.head }));
    const error = errorOf(() => readSegment("s.wal", renamed, { isLast: true, keys: KEYS }));
    expect(error?.message).to.contain("its seal is broken");
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
