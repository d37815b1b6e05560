import { RaftWalBatch } from "../../../proto/gen/raft.ts";
import type { Entry, HardState } from "../../../raft-ts/types.ts";
import { entryFromProto, entryToProto } from "../raft-proto.ts";

/** What one fdatasync makes durable, all of it or nothing. */
export interface WalBatch {
  /** Present when it changed, and in the first batch of each segment. */
  readonly hardState: HardState | undefined;
  /** A snapshot from the leader replaced the log: every entry of earlier batches is void. */
  readonly restart: WalRestart | undefined;
  /** An entry whose index exists replaces it and all after it. */
  readonly entries: readonly Entry[];
}

/** Where the log restarts: its next entry is `index + 1`. */
export interface WalRestart {
  readonly index: number;
  readonly term: number;
}

/** The payload of one record. */
export function encodeBatch(batch: WalBatch): Uint8Array {
  return RaftWalBatch.encode({
    hardState: batch.hardState,
    restart: batch.restart,
    entries: batch.entries.map(entryToProto),
  }).finish();
}

/** Inverse of `encodeBatch`. @throws on bytes that are no batch: the CRC was right, so a bug or a newer version wrote them. */
export function decodeBatch(payload: Uint8Array): WalBatch {
  const { hardState, restart, entries } = RaftWalBatch.decode(payload);
  return { hardState, restart, entries: entries.map(entryFromProto) };
}
