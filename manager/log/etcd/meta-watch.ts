import type { Clock } from "../../../core/clock.ts";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { pause, RETRY_MS } from "./commit-record.ts";
import type { EtcdKv } from "./etcd-kv.ts";
import { type Keys, prefixEnd } from "./keys.ts";
import type { MetaView } from "./meta-view.ts";

export interface MetaWatchParts {
  readonly kv: EtcdKv;
  readonly keys: Keys;
  readonly view: MetaView;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

/**
 * Keeps the view up to date: by a watch, and by looks that find out what the watch missed.
 *
 * A watch that breaks is begun again behind a fresh look, so it makes no difference whether etcd has compacted what lay
 * between. A watch may also fall silent without breaking, at a member of etcd that is cut off from the others.
 */
export class MetaWatch {
  readonly #parts: MetaWatchParts;
  #stop: (() => void) | undefined;
  /** The newest change the last look saw, and the newest the watch has told of or began behind. */
  #seen = 0;
  #told = 0;
  #closed = false;

  constructor(parts: MetaWatchParts) {
    this.#parts = parts;
  }

  /** Reads all there is, and begins the watch unless there is one that keeps up. @throws {ClusterError} */
  async look(): Promise<void> {
    const { kv, keys, view, onChange } = this.#parts;
    const { found, revision } = await kv.txn({
      act: [{ get: keys.meta, end: prefixEnd(keys.meta) }],
    });
    if (this.#closed) return;
    const entries = found[0] ?? [];
    // What the look before this one saw the watch has had time to tell.
    const isBehind = this.#told < this.#seen;
    view.replace(entries, revision);
    this.#seen = Math.max(0, ...entries.map(({ modRevision }) => modRevision));
    if (this.#stop === undefined) this.#begin(revision + 1);
    else if (isBehind) this.#restart(new Error("it fell behind"));
    onChange();
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  #begin(fromRevision: number): void {
    const { kv, keys, view, onChange } = this.#parts;
    const range = { key: keys.meta, end: prefixEnd(keys.meta) };
    this.#told = fromRevision - 1;
    this.#stop = kv.watch(range, fromRevision, {
      onEvents: (events) => {
        for (const event of events) {
          view.apply(event);
          this.#told = event.kind === "put" ? event.entry.modRevision : event.modRevision;
        }
        if (events.length > 0) onChange();
      },
      onBroken: (error) => this.#restart(error),
    });
  }

  /** Soon and then again and again: without a watch this member hears of things late. */
  #restart(reason: Error): void {
    this.#stop?.();
    this.#stop = undefined;
    if (this.#closed) return;
    this.#parts.log.info("begins its watch of etcd again", { reason: errorMessage(reason) });
    void this.#lookUntilDone();
  }

  async #lookUntilDone(): Promise<void> {
    for (;;) {
      await pause(this.#parts.clock, RETRY_MS);
      if (this.#closed || this.#stop !== undefined) return;
      try {
        await this.look();
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
      }
    }
  }
}
