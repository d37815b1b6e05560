import { crc32 } from "node:zlib";
import { ClusterError } from "../../../core/errors.ts";
import { decodeBatch, type WalBatch } from "./batch.ts";
import { findLaterRecord, isZero, RECORD_ALIGN, readRecord } from "./record.ts";

/** What a segment file starts with. */
export interface SegmentHeader {
  /** Counts segments from 1; consecutive. */
  readonly number: number;
  /** Sequence of the segment's first record. */
  readonly firstSequence: number;
  /** Whose log this is: a directory serves one member for ever. */
  readonly raftId: number;
  readonly salt: number;
}

/** A segment's contents up to where the next record goes. */
export interface SegmentContents {
  readonly header: SegmentHeader;
  readonly batches: readonly WalBatch[];
  readonly nextSequence: number;
  /** Where the next record goes. */
  readonly endOffset: number;
  /** Why the bytes from `endOffset` on must be zeroed before use; undefined when they are zero. */
  readonly torn: string | undefined;
}

/** A multiple of RECORD_ALIGN. */
export const SEGMENT_HEADER_BYTES = 64;

const MAGIC = "MUSTRWAL";
const FORMAT = 1;
const CRC_AT = 60;
const NAME = /^(\d{10})\.wal$/;

/** The file name of a segment: sorted by name is sorted by number. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, "0")}.wal`;
}

/** The number in a segment's file name; undefined for other files. */
export function segmentNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The first SEGMENT_HEADER_BYTES of a segment. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(MAGIC), 0);
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, header.salt, true);
  view.setBigUint64(16, BigInt(header.number), true);
  view.setBigUint64(24, BigInt(header.firstSequence), true);
  view.setBigUint64(32, BigInt(header.raftId), true);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/**
 * Reads a whole segment file.
 *
 * @param options.isLast only the last segment may end torn: the others were synced before the next one was begun.
 * @throws {ClusterError} `DataLoss`, naming file and byte, when something was damaged after it had been synced.
 */
export function readSegment(
  file: string,
  bytes: Uint8Array,
  options: { readonly isLast: boolean },
): SegmentContents {
  const header = decodeSegmentHeader(file, bytes);
  const batches: WalBatch[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  let sequence = header.firstSequence;
  let torn: string | undefined;
  for (;;) {
    const read = readRecord(bytes, { offset, sequence, salt: header.salt });
    if (read.kind === "record") {
      batches.push(decodeBatch(read.payload));
      offset = read.end;
      sequence++;
      continue;
    }
    if (read.kind === "damaged") throw walDamaged(file, offset, read.why);
    torn = read.kind === "torn" ? read.why : undefined;
    break;
  }
  if (torn === undefined && !isZero(bytes.subarray(offset))) torn = "its header is missing";
  if (torn !== undefined) {
    const later = findLaterRecord(bytes, {
      offset: offset + RECORD_ALIGN,
      sequence,
      salt: header.salt,
    });
    if (later !== undefined) throw walDamaged(file, offset, `${torn}, yet a later record is whole`);
    if (!options.isLast) throw walDamaged(file, offset, `${torn}, yet a later segment exists`);
  }
  return { header, batches, nextSequence: sequence, endOffset: offset, torn };
}

function decodeSegmentHeader(file: string, bytes: Uint8Array): SegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES) throw walDamaged(file, 0, "the file is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") !== MAGIC) {
    throw walDamaged(file, 0, "it is no write-ahead log");
  }
  if (view.getUint32(CRC_AT, true) !== crc32(bytes.subarray(0, CRC_AT))) {
    throw walDamaged(file, 0, "the CRC of the file's header is wrong");
  }
  const format = view.getUint32(8, true);
  if (format !== FORMAT) {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot read ${file}: its format is ${format}, this version reads ${FORMAT}`,
    );
  }
  return {
    salt: view.getUint32(12, true),
    number: Number(view.getBigUint64(16, true)),
    firstSequence: Number(view.getBigUint64(24, true)),
    raftId: Number(view.getBigUint64(32, true)),
  };
}

/** The error that keeps a manager with damaged files from starting. */
export function walDamaged(file: string, offset: number, why: string): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot start: ${file} is damaged at byte ${offset}: ${why}; remove this manager from the swarm, ` +
      "empty the directory and join it again",
    { details: { file, offset } },
  );
}
