import type { Operation } from "./checker.ts";

/** Notes what clients ask and hear, in the order in which it happens. */
export class Recorder<Op> {
  readonly #operations: { op: Op; readonly calledAt: number; returnedAt: number }[] = [];
  #now = 0;

  /**
   * A client asks.
   *
   * @param unknown the operation as long as nobody knows what became of it.
   * @returns to be called with what the client heard; never called, it stays unknown.
   */
  begin(unknown: Op): (heard: Op) => void {
    const operation = { op: unknown, calledAt: this.#now++, returnedAt: Number.POSITIVE_INFINITY };
    this.#operations.push(operation);
    return (heard) => {
      operation.op = heard;
      operation.returnedAt = this.#now++;
    };
  }

  get operations(): readonly Operation<Op>[] {
    return this.#operations;
  }
}
