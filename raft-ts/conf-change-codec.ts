import { assert } from "./assert.ts";
import type { ConfChange } from "./types.ts";

const FORMAT = 1;
const KINDS = ["addLearner", "addVoter", "remove", "update"] as const;
const CHANGE_HEAD_BYTES = 1 + 8 + 4;

/**
 * The data of a `confChange` entry: format byte, then per change: kind (1), raftId (8), context length (4), context;
 * little-endian. One change is made at once, several by a joint configuration, none leaves a joint configuration.
 */
export function encodeConfChanges(changes: readonly ConfChange[]): Uint8Array {
  const bytes = changes.reduce((sum, { context }) => sum + CHANGE_HEAD_BYTES + context.length, 1);
  const data = new Uint8Array(bytes);
  const view = new DataView(data.buffer);
  data[0] = FORMAT;
  let at = 1;
  for (const { kind, raftId, context } of changes) {
    view.setUint8(at, KINDS.indexOf(kind));
    view.setBigUint64(at + 1, BigInt(raftId), true);
    view.setUint32(at + 9, context.length, true);
    data.set(context, at + CHANGE_HEAD_BYTES);
    at += CHANGE_HEAD_BYTES + context.length;
  }
  return data;
}

/** The inverse of {@link encodeConfChanges}. @throws {RaftInvariantError} when `data` is not of its making. */
export function decodeConfChanges(data: Uint8Array): ConfChange[] {
  assert(data[0] === FORMAT, `conf change of unknown format ${data[0]}: upgrade this member`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const changes: ConfChange[] = [];
  for (let at = 1; at < data.length; ) {
    assert(at + CHANGE_HEAD_BYTES <= data.length, `conf change is cut off at byte ${at}`);
    const kind = KINDS[view.getUint8(at)];
    assert(kind !== undefined, `conf change of unknown kind at byte ${at}: upgrade this member`);
    const raftId = Number(view.getBigUint64(at + 1, true));
    const end = at + CHANGE_HEAD_BYTES + view.getUint32(at + 9, true);
    assert(end <= data.length, `conf change is cut off at byte ${at}`);
    changes.push({ kind, raftId, context: data.slice(at + CHANGE_HEAD_BYTES, end) });
    at = end;
  }
  return changes;
}
