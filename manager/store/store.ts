import { assert } from "../../core/assert.ts";
import { Transaction } from "../../proto/gen/store.ts";
import { SNAPSHOT_PART_BYTES, type StateMachine } from "../log/replicated-log.ts";
import { type ApplyResult, applyTransaction, type StoreEvent } from "./apply.ts";
import { type Kind, missingPart, type StoredByKind } from "./objects.ts";
import { decodeObjects, encodeObjects } from "./snapshot.ts";
import { Tables, type View } from "./tables.ts";
import { type Cursor, WatchQueue } from "./watch-queue.ts";

/**
 * The state of the cluster in memory, the same on every manager: the log's entries are its only way to change.
 * Writers go through a Proposer, readers take `view()`, followers a Cursor.
 */
export class Store implements StateMachine {
  #tables = new Tables();
  readonly #queue: WatchQueue;

  /** @param options.watchEventsMax events kept for cursors that are behind. */
  constructor(options: { readonly watchEventsMax?: number } = {}) {
    this.#queue = new WatchQueue(options.watchEventsMax);
  }

  /** The present state; ask again after each `await`. */
  view(): View {
    return this.#tables;
  }

  /** Follows the changes after the log entry `afterIndex`; without it, those from now on. */
  watch(afterIndex?: number): Cursor {
    return this.#queue.watch(afterIndex);
  }

  apply(index: number, data: Uint8Array): ApplyResult {
    this.#tables.index = index;
    const transaction = decodeTransaction(data);
    if (transaction === undefined) {
      return { ok: false, code: "InvalidArgument", message: "cannot read the transaction" };
    }
    const { result, events } = applyTransaction(this.#tables, index, transaction);
    this.#queue.append(events.map(withoutPayload));
    return result;
  }

  /** The state at the time of the call; later entries may be applied while the parts are read. */
  snapshot(): Iterable<Uint8Array> {
    return encodeObjects(this.#tables.all(), SNAPSHOT_PART_BYTES);
  }

  restore(index: number, parts: Iterable<Uint8Array>): void {
    const tables = new Tables();
    for (const object of decodeObjects(parts)) {
      const missing = missingPart(object);
      assert(missing === undefined, `snapshot holds a ${object.$case} without its ${missing}`);
      tables.of<Kind>(object.$case).put(object.value as StoredByKind[Kind]);
    }
    tables.index = index;
    this.#tables = tables;
    this.#queue.reset(index);
  }
}

/** An event stays for long: it must not keep a megabyte that was removed, and nobody asks one for it. */
function withoutPayload(event: StoreEvent): StoreEvent {
  if (event.kind !== "config" && event.kind !== "secret") return event;
  const strip = <T extends { readonly data: Buffer }>(object: T | undefined) =>
    object && { ...object, data: Buffer.alloc(0) };
  return { ...event, before: strip(event.before), after: strip(event.after) } as StoreEvent;
}

/**
 * Undefined for bytes that are no transaction, numbers past 2^53 included. They are refused, not thrown: an entry that
 * throws would stop every manager, again after each restart.
 */
function decodeTransaction(data: Uint8Array): Transaction | undefined {
  try {
    return Transaction.decode(data);
  } catch {
    return undefined;
  }
}
