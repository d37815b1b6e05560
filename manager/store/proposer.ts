import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { type Change, Transaction } from "../../proto/gen/store.ts";
import type { ReplicatedLog } from "../log/replicated-log.ts";
import type { Applied, ApplyResult } from "./apply.ts";

/** Bytes of changes `proposeBatched` puts into one log entry: large enough to share an fsync, small enough to stream. */
export const BATCH_BYTES_MAX = 256 * 1024;

/** Entries `proposeBatched` has under way at once. */
export const BATCHES_IN_FLIGHT_MAX = 16;

/** Stands between the deciding parts and the log: changes in, their outcome out. */
export class Proposer {
  readonly #log: Pick<ReplicatedLog, "propose">;
  readonly #clock: Pick<Clock, "nowMs">;

  constructor(log: Pick<ReplicatedLog, "propose">, clock: Pick<Clock, "nowMs">) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Makes the changes, all or none, and resolves when they are safe and visible in the store here.
   *
   * @throws {ClusterError} what the store refused them for (`AlreadyExists`, `NotFound`, `Aborted`,
   * `InvalidArgument`, `FailedPrecondition`), or what the log could not do (`Unavailable`; `ResourceExhausted` when
   * they are more than an entry holds).
   */
  async propose(changes: readonly Change[]): Promise<Applied> {
    return this.#commit([encodeChanges(changes)]);
  }

  /**
   * Makes groups of changes: each group all or none, in this order, as many to a log entry as fit. A group refused
   * takes the others of its entry with it.
   *
   * @throws {ClusterError} of the first entry that failed; entries under way with it may be made, later ones are not.
   */
  async proposeBatched(groups: readonly (readonly Change[])[]): Promise<void> {
    const batches = pack(groups.map(encodeChanges));
    for (let start = 0; start < batches.length; start += BATCHES_IN_FLIGHT_MAX) {
      const wave = batches.slice(start, start + BATCHES_IN_FLIGHT_MAX);
      const outcomes = await Promise.allSettled(wave.map((batch) => this.#commit(batch)));
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  async #commit(parts: readonly Uint8Array[]): Promise<Applied> {
    const stamp = Transaction.encode({ changes: [], nowMs: this.#clock.nowMs() }).finish();
    const result = await this.#log.propose(concat([...parts, stamp]));
    assert(isApplyResult(result), "the log's state machine is a Store");
    if (!result.ok) throw new ClusterError(result.code, result.message);
    return result;
  }
}

/** A part of a Transaction: protobuf messages written one after the other are one message of all their changes. */
function encodeChanges(changes: readonly Change[]): Uint8Array {
  return Transaction.encode({ changes: [...changes], nowMs: 0 }).finish();
}

/** Joins parts in order into batches of at most BATCH_BYTES_MAX, or of one part that is larger. */
function pack(parts: readonly Uint8Array[]): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let room = 0;
  for (const part of parts) {
    const last = batches.at(-1);
    if (last !== undefined && part.length <= room) {
      last.push(part);
      room -= part.length;
    } else {
      batches.push([part]);
      room = BATCH_BYTES_MAX - part.length;
    }
  }
  return batches;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function isApplyResult(value: unknown): value is ApplyResult {
  return typeof value === "object" && value !== null && "ok" in value;
}
