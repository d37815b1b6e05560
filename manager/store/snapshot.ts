import { assert } from "../../core/assert.ts";
import { SnapshotPart } from "../../proto/gen/store.ts";
import type { AnyObject } from "./objects.ts";

/**
 * The objects as one SnapshotPart message cut into pieces of `pieceBytes`: protobuf's repeated fields may be written
 * one after the other, so neither side ever holds the whole.
 */
export function* encodeObjects(
  objects: Iterable<AnyObject>,
  pieceBytes: number,
): Iterable<Uint8Array> {
  let piece = new Uint8Array(pieceBytes);
  let used = 0;
  for (const kind of objects) {
    const bytes = SnapshotPart.encode({ objects: [{ kind }] }).finish();
    for (let taken = 0; taken < bytes.length; ) {
      const count = Math.min(bytes.length - taken, pieceBytes - used);
      piece.set(bytes.subarray(taken, taken + count), used);
      taken += count;
      used += count;
      if (used < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      used = 0;
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}

/** The objects of `encodeObjects`' pieces, cut however. */
export function* decodeObjects(pieces: Iterable<Uint8Array>): Iterable<AnyObject> {
  let rest: Uint8Array = new Uint8Array(0);
  for (const piece of pieces) {
    rest = concat(rest, piece);
    let start = 0;
    for (let end = fieldEnd(rest, 0); end !== undefined; end = fieldEnd(rest, start)) {
      for (const { kind } of SnapshotPart.decode(rest.subarray(start, end)).objects) {
        assert(kind !== undefined, "snapshot holds an object of a kind this version does not know");
        yield kind;
      }
      start = end;
    }
    rest = rest.slice(start);
  }
  assert(rest.length === 0, "snapshot ends in the middle of an object");
}

/** Where the length-delimited field that begins at `start` ends; undefined while it is not whole. */
function fieldEnd(bytes: Uint8Array, start: number): number | undefined {
  let length = 0;
  let scale = 1;
  // One byte of tag, then the length in groups of seven bits, lowest first.
  for (let i = start + 1; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    length += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte >= 0x80) continue;
    const end = i + 1 + length;
    return end <= bytes.length ? end : undefined;
  }
  return undefined;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
