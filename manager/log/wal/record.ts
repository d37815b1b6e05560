import { crc32 } from "node:zlib";
import { assert } from "../../../core/assert.ts";

/**
 * How one record lies in a segment, all numbers little-endian:
 *
 *     0 marker u32 | 4 payload length u32 | 8 sequence u64 | 16 zero sectors u32 | 20 payload CRC u32
 *     24 0 u32     | 28 CRC of the header, started with the segment's salt u32
 *     32 payload … | trailer u8 | zeros up to the next multiple of RECORD_ALIGN
 *
 * The file was zeros before. A disk writes whole sectors, in any order, so after a power cut each sector of the last
 * record is either as written or still zero. That tells the two damages apart:
 *
 *     torn     more sectors are zero than the header counted, or the end is missing: it was never acknowledged
 *     damaged  anything else: a bit turned, and what was lost may have been acknowledged
 */
export const RECORD_ALIGN = 32;
export const RECORD_HEADER_BYTES = 32;
/** The unit a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

const MARKER = 0x4c415752;
const TRAILER = 0xa5;
const ZERO_SECTOR = new Uint8Array(SECTOR_BYTES);

/** Where a record lies: what makes it valid only there. */
export interface RecordPlace {
  /** Byte in the file; a multiple of RECORD_ALIGN. */
  readonly offset: number;
  /** One more than the record before, over all segments. */
  readonly sequence: number;
  /** Drawn per segment, so that no entry's data can pass for a record. */
  readonly salt: number;
}

/** What stands at a place of a segment. `torn` and `damaged` say why. */
export type RecordRead =
  | { readonly kind: "record"; readonly payload: Uint8Array; readonly end: number }
  | { readonly kind: "empty" }
  | { readonly kind: "torn"; readonly why: string }
  | { readonly kind: "damaged"; readonly why: string };

/** Bytes a record of this payload takes. */
export function recordBytes(payloadLength: number): number {
  return alignUp(RECORD_HEADER_BYTES + payloadLength + 1, RECORD_ALIGN);
}

/** The record as it must be written at `place`. */
export function encodeRecord(payload: Uint8Array, place: RecordPlace): Uint8Array {
  assert(place.offset % RECORD_ALIGN === 0, "records are aligned");
  const bytes = new Uint8Array(recordBytes(payload.length));
  bytes.set(payload, RECORD_HEADER_BYTES);
  bytes[RECORD_HEADER_BYTES + payload.length] = TRAILER;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MARKER, true);
  view.setUint32(4, payload.length, true);
  view.setBigUint64(8, BigInt(place.sequence), true);
  view.setUint32(16, countZeroSectors(bytes, place.offset % SECTOR_BYTES), true);
  view.setUint32(20, crc32(payload), true);
  view.setUint32(28, headerCrc(bytes, place.salt), true);
  return bytes;
}

/** Reads what stands at `place` of a whole segment. */
export function readRecord(segment: Uint8Array, place: RecordPlace): RecordRead {
  const header = segment.subarray(place.offset, place.offset + RECORD_HEADER_BYTES);
  if (header.length < RECORD_HEADER_BYTES || isZero(header)) return { kind: "empty" };
  const view = viewOf(header);
  const next = segment.subarray(place.offset + RECORD_HEADER_BYTES).subarray(0, RECORD_ALIGN);
  if (header.at(-1) === 0 && isZero(next)) return { kind: "torn", why: "its header is cut" };
  if (!isHeader(header, place.salt)) return { kind: "damaged", why: "its header's CRC is wrong" };
  const sequence = Number(view.getBigUint64(8, true));
  if (sequence !== place.sequence) {
    return { kind: "damaged", why: `it is record ${sequence} where ${place.sequence} belongs` };
  }
  const length = view.getUint32(4, true);
  const end = place.offset + recordBytes(length);
  if (end > segment.length) return { kind: "damaged", why: "it reaches past the file's end" };
  return readPayload(segment.subarray(place.offset, end), { place, length, end });
}

function readPayload(
  record: Uint8Array,
  at: { readonly place: RecordPlace; readonly length: number; readonly end: number },
): RecordRead {
  const view = viewOf(record);
  const payload = record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + at.length);
  const padding = record.subarray(RECORD_HEADER_BYTES + at.length + 1);
  const trailer = record[RECORD_HEADER_BYTES + at.length];
  const isWhole = crc32(payload) === view.getUint32(20, true) && trailer === TRAILER;
  if (isWhole && isZero(padding)) return { kind: "record", payload, end: at.end };
  if (trailer === 0 && isZero(padding)) return { kind: "torn", why: "its end is missing" };
  if (countZeroSectors(record, at.place.offset % SECTOR_BYTES) > view.getUint32(16, true)) {
    return { kind: "torn", why: "a sector of it is missing" };
  }
  return { kind: "damaged", why: "its CRC is wrong" };
}

/** The offset of a whole header of a record after `sequence`, at or after `offset`; undefined when there is none. */
export function findLaterRecord(segment: Uint8Array, place: RecordPlace): number | undefined {
  const view = viewOf(segment);
  const last = segment.length - RECORD_HEADER_BYTES;
  for (let offset = place.offset; offset <= last; offset += RECORD_ALIGN) {
    if (view.getUint32(offset, true) !== MARKER) continue;
    const header = segment.subarray(offset, offset + RECORD_HEADER_BYTES);
    if (!isHeader(header, place.salt)) continue;
    if (Number(view.getBigUint64(offset + 8, true)) > place.sequence) return offset;
  }
  return undefined;
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const chunk = bytes.subarray(at, at + SECTOR_BYTES);
    if (Buffer.compare(chunk, ZERO_SECTOR.subarray(0, chunk.length)) !== 0) return false;
  }
  return true;
}

/** How many of the sectors a record touches are zero in its part; `phase` is where in a sector it starts. */
function countZeroSectors(record: Uint8Array, phase: number): number {
  let count = 0;
  for (let start = 0; start < record.length; ) {
    const end = start === 0 ? SECTOR_BYTES - phase : start + SECTOR_BYTES;
    if (record[start] === 0 && isZero(record.subarray(start, end))) count++;
    start = end;
  }
  return count;
}

function isHeader(header: Uint8Array, salt: number): boolean {
  const view = viewOf(header);
  return view.getUint32(0, true) === MARKER && view.getUint32(28, true) === headerCrc(header, salt);
}

function headerCrc(header: Uint8Array, salt: number): number {
  return crc32(header.subarray(0, 28), salt);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
