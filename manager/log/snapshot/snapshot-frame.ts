import { crc32 } from "node:zlib";
import { RaftSnapshotHeader } from "../../../proto/gen/raft.ts";
import type { SnapshotMeta } from "../../../raft-ts/types.ts";
import type { MemberTable } from "../members.ts";
import {
  membersFromProto,
  membersToProto,
  snapshotMetaFromProto,
  snapshotMetaToProto,
} from "../raft-proto.ts";
import { SNAPSHOT_PART_BYTES } from "../replicated-log.ts";
import { type FileSeal, SEED_BYTES, type SealHead } from "../seal/file-seal.ts";

/**
 * A snapshot file is a row of frames: what it is sealed with, one header, the parts, one end that counts them. The first
 * is in clear, the others' payloads are sealed. In files of an older version the first is missing and all are in clear.
 * Little-endian:
 *
 *     0 kind u32 | 4 payload length u32 | 8 payload CRC u32 | 12 CRC of the 12 bytes before u32 | 16 payload …
 */
export type SnapshotFrame =
  | { readonly kind: "seal"; readonly head: SealHead }
  | { readonly kind: "header"; readonly header: SnapshotHeader }
  | { readonly kind: "part"; readonly part: Uint8Array }
  | { readonly kind: "end"; readonly parts: number };

/** What a snapshot covers and who took part then. */
export interface SnapshotHeader {
  readonly meta: SnapshotMeta;
  readonly members: MemberTable;
}

/** Kind and length of a frame whose payload follows. */
export interface FrameHead {
  readonly kind: SnapshotFrame["kind"];
  readonly length: number;
  readonly crc: number;
}

export const FRAME_HEAD_BYTES = 16;

/** A part may be somewhat larger than promised; past this the length itself is wrong. */
const PAYLOAD_BYTES_MAX = 8 * SNAPSHOT_PART_BYTES;
/** The first carries the format: a changed one gets a new number. */
const KINDS = {
  header: 0x534e4101,
  part: 0x534e4102,
  end: 0x534e4103,
  seal: 0x534e4104,
} as const;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];
const KEY_ID_BYTES = 8;

/** Where a frame stands, for its seal. */
export interface FramePlace {
  readonly seal: FileSeal | undefined;
  /** Counts the frames of its file. */
  readonly number: number;
}

/** The frame as it is written. */
export function encodeFrame(frame: SnapshotFrame, { seal, number }: FramePlace): Uint8Array {
  const plain = encodePayload(frame);
  const isSealed = seal !== undefined && frame.kind !== "seal";
  const payload = isSealed ? seal.seal(plain, placeOf(frame.kind, number)) : plain;
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, KINDS[frame.kind], true);
  view.setUint32(4, payload.length, true);
  view.setUint32(8, crc32(payload), true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  bytes.set(payload, FRAME_HEAD_BYTES);
  return bytes;
}

/** The head of a frame; undefined when these bytes are none. */
export function decodeFrameHead(bytes: Uint8Array): FrameHead | undefined {
  if (bytes.length < FRAME_HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEAD_BYTES);
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return undefined;
  const number = view.getUint32(0, true);
  const kind = KIND_NAMES.find((name) => KINDS[name] === number);
  const length = view.getUint32(4, true);
  if (kind === undefined || length > PAYLOAD_BYTES_MAX) return undefined;
  return { kind, length, crc: view.getUint32(8, true) };
}

/** The frame; undefined when the payload is not the one that was written. */
export function decodeFrame(
  head: FrameHead,
  written: Uint8Array,
  { seal, number }: FramePlace,
): SnapshotFrame | undefined {
  if (written.length !== head.length || crc32(written) !== head.crc) return undefined;
  const isSealed = seal !== undefined && head.kind !== "seal";
  const payload = isSealed ? seal.open(written, placeOf(head.kind, number)) : written;
  return payload === undefined ? undefined : decodePayload(head.kind, payload);
}

function decodePayload(kind: SnapshotFrame["kind"], payload: Uint8Array): SnapshotFrame {
  switch (kind) {
    case "seal":
      return {
        kind: "seal",
        head: {
          keyId: Buffer.from(payload.subarray(0, KEY_ID_BYTES)).toString("hex"),
          seed: payload.slice(KEY_ID_BYTES, KEY_ID_BYTES + SEED_BYTES),
        },
      };
    case "header":
      return { kind: "header", header: headerFromProto(RaftSnapshotHeader.decode(payload)) };
    case "part":
      return { kind: "part", part: payload };
    case "end":
      return { kind: "end", parts: new DataView(payload.buffer, payload.byteOffset).getUint32(0) };
  }
}

/** A snapshot's header as it travels and is stored. */
export function headerToProto(header: SnapshotHeader): RaftSnapshotHeader {
  return { meta: snapshotMetaToProto(header.meta), members: membersToProto(header.members) };
}

/** Inverse of `headerToProto`. */
export function headerFromProto(header: RaftSnapshotHeader): SnapshotHeader {
  return { meta: snapshotMetaFromProto(header.meta), members: membersFromProto(header.members) };
}

function placeOf(kind: SnapshotFrame["kind"], number: number): string {
  return `${kind} ${number}`;
}

function encodePayload(frame: SnapshotFrame): Uint8Array {
  switch (frame.kind) {
    case "seal":
      return Buffer.concat([Buffer.from(frame.head.keyId, "hex"), frame.head.seed]);
    case "header":
      return RaftSnapshotHeader.encode(headerToProto(frame.header)).finish();
    case "part":
      return frame.part;
    case "end": {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, frame.parts);
      return bytes;
    }
  }
}
