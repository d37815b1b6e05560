import { expect } from "chai";
import { seededRandom } from "../../../core/random.ts";
import {
  encodeRecord,
  findLaterRecord,
  RECORD_ALIGN,
  type RecordPlace,
  readRecord,
  recordBytes,
  SECTOR_BYTES,
} from "./record.ts";

const FILE_BYTES = 8192;
/** Not at a sector's start: a record then shares its first sector with the one before. */
const PLACE: RecordPlace = { offset: SECTOR_BYTES - RECORD_ALIGN, sequence: 7, salt: 0xdecade };

function payloadOf(length: number, seed = 1): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => 1 + Math.floor(random.next() * 255));
}

function fileWith(record: Uint8Array, place: RecordPlace = PLACE): Uint8Array {
  const file = new Uint8Array(FILE_BYTES);
  file.set(record, place.offset);
  return file;
}

describe("wal record", () => {
  for (const length of [0, 1, 30, 31, 32, 33, 511, 512, 513, 3000]) {
    it(`gives back a payload of ${length} bytes and the place of the next record`, () => {
      const payload = payloadOf(length);
      const read = readRecord(fileWith(encodeRecord(payload, PLACE)), PLACE);
      if (read.kind !== "record") throw new Error(read.kind);
      expect(read.payload).to.deep.equal(payload);
      expect(read.end).to.equal(PLACE.offset + recordBytes(length));
      expect(read.end % RECORD_ALIGN).to.equal(0);
    });
  }

  it("reads zeros as the end of the log", () => {
    expect(readRecord(new Uint8Array(FILE_BYTES), PLACE).kind).to.equal("empty");
  });

  it("takes a record cut at any byte for torn, never for whole or damaged", () => {
    const record = encodeRecord(payloadOf(700), PLACE);
    const lastUsed = record.findLastIndex((byte) => byte !== 0);
    for (let cut = 0; cut <= lastUsed; cut++) {
      const kind = readRecord(fileWith(record.subarray(0, cut)), PLACE).kind;
      expect(kind, `cut at ${cut}`).to.equal(cut === 0 ? "empty" : "torn");
    }
  });

  it("takes a record that lost any set of its sectors but the first for torn", () => {
    const payload = payloadOf(4 * SECTOR_BYTES);
    payload.fill(0, SECTOR_BYTES, 3 * SECTOR_BYTES); // sectors that are zero when nothing is lost
    const whole = fileWith(encodeRecord(payload, PLACE));
    const first = Math.floor(PLACE.offset / SECTOR_BYTES) + 1;
    for (let lost = 1; lost < 1 << 5; lost++) {
      const file = whole.slice();
      for (let sector = 0; sector < 5; sector++) {
        const start = (first + sector) * SECTOR_BYTES;
        if ((lost >> sector) & 1) file.fill(0, start, start + SECTOR_BYTES);
      }
      const isSame = Buffer.compare(file, whole) === 0;
      const kind = readRecord(file, PLACE).kind;
      expect(kind, `lost ${lost.toString(2)}`).to.equal(isSame ? "record" : "torn");
    }
  });

  it("takes a flip of any one bit for damage, never for a whole or a torn record", () => {
    const payload = payloadOf(600);
    payload.fill(0, 64, 600);
    const whole = fileWith(encodeRecord(payload, PLACE));
    for (let bit = 0; bit < recordBytes(600) * 8; bit++) {
      const file = whole.slice();
      const at = PLACE.offset + Math.floor(bit / 8);
      file[at] = (file[at] ?? 0) ^ (1 << (bit % 8));
      expect(readRecord(file, PLACE).kind, `bit ${bit}`).to.equal("damaged");
    }
  });

  it("refuses a record of another sequence or another segment", () => {
    const file = fileWith(encodeRecord(payloadOf(10), PLACE));
    expect(readRecord(file, { ...PLACE, sequence: 8 }).kind).to.equal("damaged");
    expect(readRecord(file, { ...PLACE, salt: 1 }).kind).to.equal("damaged");
  });

  it("finds a later record behind a hole, and does not take one inside an entry's data for it", () => {
    const laterPlace = { ...PLACE, offset: 2048, sequence: 8 };
    const later = encodeRecord(payloadOf(100), laterPlace);
    expect(findLaterRecord(fileWith(later, laterPlace), { ...PLACE, offset: 0 })).to.equal(2048);
    const forged = encodeRecord(payloadOf(100), { ...laterPlace, salt: 1 });
    expect(findLaterRecord(fileWith(forged, laterPlace), PLACE)).to.equal(undefined);
  });
});
