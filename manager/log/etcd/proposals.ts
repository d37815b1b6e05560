import { checkQueueRoom } from "../proposal-errors.ts";
import type { Waiter } from "../waiting.ts";
import { countFitting } from "./record.ts";

/** One proposal and who waits for its outcome. */
export interface Proposal extends Waiter<unknown> {
  readonly data: Uint8Array;
}

/** Proposals in the order they came: those being written, and those after them. */
export class Proposals {
  #queued: Proposal[] = [];
  #writing: readonly Proposal[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** @throws {ClusterError} `ResourceExhausted` when too many wait. */
  add(proposal: Proposal): void {
    const count = this.#queued.length + this.#writing.length + 1;
    checkQueueRoom(count, this.#bytes + proposal.data.length);
    this.#queued.push(proposal);
    this.#bytes += proposal.data.length;
  }

  /** The next ones, as many as go into one record. */
  begin(): readonly Proposal[] {
    this.#writing = this.#queued.splice(0, countFitting(this.#data()));
    return this.#writing;
  }

  /** What was begun is done with; the caller settles it. */
  end(): void {
    for (const { data } of this.#writing) this.#bytes -= data.length;
    this.#writing = [];
  }

  /** What was begun is to be begun again. */
  putBack(): void {
    this.#queued = [...this.#writing, ...this.#queued];
    this.#writing = [];
  }

  /** Those not begun, which are no longer here then. */
  takeQueued(): readonly Proposal[] {
    const queued = this.#queued;
    this.#queued = [];
    for (const { data } of queued) this.#bytes -= data.length;
    return queued;
  }

  /** Those begun; they stay until `end`. */
  get writing(): readonly Proposal[] {
    return this.#writing;
  }

  *#data(): Iterable<Uint8Array> {
    for (const { data } of this.#queued) yield data;
  }
}
