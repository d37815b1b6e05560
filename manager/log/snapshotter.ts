import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { RaftNode } from "../../raft-ts/index.ts";
import type { SnapshotMeta } from "../../raft-ts/types.ts";
import type { AppliedState } from "./applied-state.ts";
import type { DataKeys } from "./seal/data-key.ts";
import type { LoadedSnapshot, SnapshotStore } from "./snapshot/snapshot-store.ts";
import type { SnapshotMessage, SnapshotSource, Transport } from "./transport/transport.ts";
import type { Wal } from "./wal/wal.ts";

/** Entries between two snapshots. As Docker's `--snapshot-interval`. */
export const SNAPSHOT_INTERVAL = 10_000;
/** Bytes of entries between two snapshots at most, however few they are: what a restart has to read and hold. */
export const SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;
/** Entries kept before a snapshot, so that a member a little behind needs no snapshot. As swarmkit's. */
export const ENTRIES_KEPT = 500;

export interface SnapshotterParts {
  readonly store: SnapshotStore;
  readonly wal: Wal;
  readonly applied: AppliedState;
  readonly log: Log;
  readonly keys: DataKeys | undefined;
  /** The disk failed. */
  readonly onFailure: (error: unknown) => void;
}

export interface SnapshotterOptions {
  readonly interval: number;
  readonly entriesKept: number;
  /** The newest snapshot on disk when the process started. */
  readonly newest: SnapshotMeta | undefined;
}

/** Saves, sends and receives snapshots, and drops from log and disk what they make needless. */
export class Snapshotter {
  readonly #parts: SnapshotterParts;
  readonly #options: SnapshotterOptions;
  #newest: SnapshotMeta | undefined;
  /** Entry bytes applied when the newest snapshot was taken. */
  #newestBytes = 0;
  #work: Promise<void> | undefined;
  #isReceiving = false;

  constructor(parts: SnapshotterParts, options: SnapshotterOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#newest = options.newest;
  }

  /** Saves a snapshot beside the node's work when the last one is `interval` entries or too many bytes old. */
  maybeSave(node: RaftNode, onSaved: () => void): void {
    const { applied, onFailure } = this.#parts;
    if (this.#work !== undefined) return;
    const isDue =
      this.#isKeyDue() ||
      applied.index - (this.#newest?.index ?? 0) >= this.#options.interval ||
      applied.entryBytes - this.#newestBytes >= SNAPSHOT_LOG_BYTES;
    if (!isDue) return;
    this.#newestBytes = applied.entryBytes;
    const header = { meta: node.describeSnapshot(), members: applied.members };
    const loaded = { header, parts: applied.snapshotParts() };
    this.#work = this.#save(loaded)
      .then(onSaved, onFailure)
      .finally(() => {
        this.#work = undefined;
      });
  }

  /** Forgets in the node and on disk what the snapshots cover. */
  compact(node: RaftNode): void {
    if (this.#newest !== undefined) node.compact(this.#newest, this.#options.entriesKept);
    this.#purge().catch(this.#parts.onFailure);
  }

  async #purge(): Promise<void> {
    const { wal, store, keys, log } = this.#parts;
    await store.discardOutdated();
    await wal.purge(store.oldestIndex);
    if (keys?.isRotating !== true || wal.outdated !== undefined || store.hasOutdated) return;
    keys.retire();
    log.info("nothing is left under an older data key", { keyId: keys.current.id });
  }

  /** Files under an older key can go once a snapshot under the new one covers them: whether it is time to take it. */
  #isKeyDue(): boolean {
    const { wal, store, applied } = this.#parts;
    const { outdated } = wal;
    // What is still written to has no last entry yet.
    if (outdated?.isWrittenTo === true) return false;
    const needed = Math.max(outdated?.maxIndex ?? 0, store.outdatedIndex);
    return needed > store.currentIndex && applied.index >= needed;
  }

  /** Sends the newest snapshot instead of the one offered, which may be gone. */
  async send(message: SnapshotMessage, transport: Transport): Promise<void> {
    const file = await this.#parts.store.openNewest();
    if (file === undefined)
      throw new ClusterError("NotFound", "cannot send a snapshot: none is left");
    try {
      await transport.sendSnapshot({ ...message, snapshot: file.header.meta }, file);
    } finally {
      await file.close();
    }
  }

  /** Stores what a leader sends, one at a time; `onReceived` is called once it is durable. */
  async receive(
    message: SnapshotMessage,
    source: SnapshotSource,
    onReceived: (loaded: LoadedSnapshot) => void,
  ): Promise<void> {
    if (this.#isReceiving) {
      throw new ClusterError("Unavailable", "cannot receive a snapshot: another one is arriving");
    }
    this.#isReceiving = true;
    try {
      onReceived(await this.#store(source));
    } finally {
      this.#isReceiving = false;
    }
    const { index, term } = message.snapshot;
    this.#parts.log.info("received a snapshot", { from: message.from, index, term });
  }

  /** A received snapshot is the state now. */
  restored(meta: SnapshotMeta): void {
    this.#noteNewest(meta);
  }

  /** Resolves when nothing is being saved. */
  async idle(): Promise<void> {
    await this.#work;
  }

  #noteNewest(meta: SnapshotMeta): void {
    if (meta.index > (this.#newest?.index ?? 0)) this.#newest = meta;
  }

  async #save(loaded: LoadedSnapshot): Promise<void> {
    const { index } = loaded.header.meta;
    const writer = await this.#parts.store.begin(loaded.header);
    for (const part of loaded.parts) await writer.add(part);
    await writer.commit();
    this.#noteNewest(loaded.header.meta);
    this.#parts.log.info("saved a snapshot", { index });
  }

  /** A source that fails leaves nothing behind; a disk that fails stops the process. */
  async #store(source: SnapshotSource): Promise<LoadedSnapshot> {
    const parts: Uint8Array[] = [];
    const writer = await this.#parts.store.begin(source.header).catch(this.#fatal);
    try {
      for await (const part of source.parts()) {
        parts.push(part);
        await writer.add(part).catch(this.#fatal);
      }
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    await writer.commit().catch(this.#fatal);
    return { header: source.header, parts };
  }

  readonly #fatal = (error: unknown): never => {
    this.#parts.onFailure(error);
    throw error;
  };
}
