import { crc32 } from "node:zlib";
import { ClusterError } from "../../../core/errors.ts";
import type { DataKeys } from "../seal/data-key.ts";
import { FileSeal, SEED_BYTES, type SealHead } from "../seal/file-seal.ts";
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
  /** What its records are sealed with; undefined: they are in clear, as an older version wrote them. */
  readonly seal: SealHead | undefined;
}

/** A segment's contents up to where the next record goes. */
export interface SegmentContents {
  readonly header: SegmentHeader;
  readonly seal: FileSeal | undefined;
  readonly batches: readonly WalBatch[];
  readonly nextSequence: number;
  /** Where the last record starts; `endOffset` when there is none. */
  readonly lastOffset: number;
  /** Where the next record goes. */
  readonly endOffset: number;
  /** Why the bytes from `endOffset` on must be zeroed before use; undefined when they are zero. */
  readonly torn: string | undefined;
}

/** A multiple of RECORD_ALIGN. */
export const SEGMENT_HEADER_BYTES = 64;

const MAGIC = "MUSTRWAL";
const FORMAT_CLEAR = 1;
const FORMAT_SEALED = 2;
const KEY_ID_AT = 40;
const KEY_ID_BYTES = 8;
const SEED_AT = KEY_ID_AT + KEY_ID_BYTES;
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
  view.setUint32(8, header.seal === undefined ? FORMAT_CLEAR : FORMAT_SEALED, true);
  view.setUint32(12, header.salt, true);
  view.setBigUint64(16, BigInt(header.number), true);
  view.setBigUint64(24, BigInt(header.firstSequence), true);
  view.setBigUint64(32, BigInt(header.raftId), true);
  if (header.seal !== undefined) {
    bytes.set(Buffer.from(header.seal.keyId, "hex"), KEY_ID_AT);
    bytes.set(header.seal.seed, SEED_AT);
  }
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
  options: { readonly isLast: boolean; readonly keys?: DataKeys | undefined },
): SegmentContents {
  const header = decodeSegmentHeader(file, bytes);
  const seal = FileSeal.of(file, header.seal, { keys: options.keys, file: segmentFile(header) });
  const batches: WalBatch[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  let lastOffset = offset;
  let sequence = header.firstSequence;
  let torn: string | undefined;
  for (;;) {
    const read = readRecord(bytes, { offset, sequence, salt: header.salt });
    if (read.kind === "record") {
      const payload = openPayload(seal, read.payload, { offset, sequence });
      if (payload === undefined) throw walDamaged(file, offset, "its seal is broken");
      batches.push(decodeBatch(payload));
      lastOffset = offset;
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
  return { header, seal, batches, nextSequence: sequence, lastOffset, endOffset: offset, torn };
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
  if (format !== FORMAT_CLEAR && format !== FORMAT_SEALED) {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot read ${file}: its format is ${format}, this version reads up to ${FORMAT_SEALED}`,
    );
  }
  const seal = {
    keyId: Buffer.from(bytes.subarray(KEY_ID_AT, SEED_AT)).toString("hex"),
    seed: bytes.slice(SEED_AT, SEED_AT + SEED_BYTES),
  };
  return {
    salt: view.getUint32(12, true),
    number: Number(view.getBigUint64(16, true)),
    firstSequence: Number(view.getBigUint64(24, true)),
    raftId: Number(view.getBigUint64(32, true)),
    seal: format === FORMAT_SEALED ? seal : undefined,
  };
}

/** What a segment's seal is bound to. */
export function segmentFile(header: Omit<SegmentHeader, "seal">): string {
  const { number, raftId, firstSequence, salt } = header;
  return `segment ${number} from ${firstSequence} of member ${raftId}, salt ${salt}`;
}

/** A record's payload as it is written at a place. */
export function sealPayload(seal: FileSeal | undefined, payload: Uint8Array, at: RecordAt) {
  return seal === undefined ? payload : seal.seal(payload, placeOf(at));
}

function openPayload(seal: FileSeal | undefined, payload: Uint8Array, at: RecordAt) {
  return seal === undefined ? payload : seal.open(payload, placeOf(at));
}

type RecordAt = { readonly offset: number; readonly sequence: number };

function placeOf({ offset, sequence }: RecordAt): string {
  return `record ${sequence} at ${offset}`;
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
