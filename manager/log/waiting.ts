import type { ClusterError } from "../../core/errors.ts";
import { lostLeadership, replaced } from "./proposal-errors.ts";

/** One caller who waits for an outcome. */
export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: ClusterError) => void;
}

interface Pending extends Waiter<unknown> {
  readonly term: number;
  readonly bytes: number;
}

/** Proposals in the log whose outcome is not known yet, by index. */
export class PendingProposals {
  readonly #byIndex = new Map<number, Pending>();
  #bytes = 0;

  get count(): number {
    return this.#byIndex.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(
    at: { readonly index: number; readonly term: number; readonly bytes: number },
    waiter: Waiter<unknown>,
  ): void {
    this.#byIndex.set(at.index, { ...waiter, term: at.term, bytes: at.bytes });
    this.#bytes += at.bytes;
  }

  /** The entry of this index was applied: it is the proposal's if the term is the same, else that one is lost. */
  settle(applied: { readonly index: number; readonly term: number }, result: unknown): void {
    const pending = this.#take(applied.index);
    if (pending === undefined) return;
    if (pending.term === applied.term) pending.resolve(result);
    else pending.reject(replaced());
  }

  /** Leadership was lost: nobody here will know the outcome of what was proposed in other terms than `term`. */
  rejectOthers(term: number | undefined): void {
    for (const [index, pending] of this.#byIndex) {
      if (pending.term === term) continue;
      this.#take(index);
      pending.reject(lostLeadership("the proposal"));
    }
  }

  #take(index: number): Pending | undefined {
    const pending = this.#byIndex.get(index);
    if (pending === undefined) return undefined;
    this.#byIndex.delete(index);
    this.#bytes -= pending.bytes;
    return pending;
  }
}

/** Readers who wait to be asked for, then for a read index, and then for its entry to be applied. */
export class PendingReads {
  #queued: Waiter<void>[] = [];
  readonly #asked = new Map<number, readonly Waiter<void>[]>();
  #confirmed: { readonly index: number; readonly waiters: readonly Waiter<void>[] }[] = [];
  #lastContext = 0;

  add(waiter: Waiter<void>): void {
    this.#queued.push(waiter);
  }

  /** The context of one question for all who queued; undefined when nobody did. */
  ask(): number | undefined {
    if (this.#queued.length === 0) return undefined;
    this.#lastContext++;
    this.#asked.set(this.#lastContext, this.#queued);
    this.#queued = [];
    return this.#lastContext;
  }

  /** The group confirmed that everything committed before the question is at or below `index`. */
  confirm(context: number, index: number): void {
    const waiters = this.#asked.get(context);
    this.#asked.delete(context);
    if (waiters !== undefined) this.#confirmed.push({ index, waiters });
  }

  /** Serves the reads that `appliedIndex` satisfies. */
  serve(appliedIndex: number): void {
    const isServed = ({ index }: { readonly index: number }): boolean => index <= appliedIndex;
    for (const { waiters } of this.#confirmed.filter(isServed)) {
      for (const waiter of waiters) waiter.resolve();
    }
    this.#confirmed = this.#confirmed.filter((read) => !isServed(read));
  }

  reject(context: number, error: ClusterError): void {
    for (const waiter of this.#asked.get(context) ?? []) waiter.reject(error);
    this.#asked.delete(context);
  }

  rejectAll(error: () => ClusterError): void {
    this.ask();
    for (const context of [...this.#asked.keys()]) this.reject(context, error());
    for (const { waiters } of this.#confirmed) {
      for (const waiter of waiters) waiter.reject(error());
    }
    this.#confirmed = [];
  }
}

interface Condition {
  readonly holds: () => boolean;
  ticksLeft: number;
  readonly end: (held: boolean) => void;
}

/** Waits for conditions on the node's state, looked at after each of its steps. */
export class Conditions {
  #conditions: Condition[] = [];

  /** Resolves true once `holds`, false after `ticks` ticks or when the log closes. */
  wait(holds: () => boolean, ticks: number): Promise<boolean> {
    return new Promise((end) => {
      this.#conditions.push({ holds, ticksLeft: ticks, end });
    });
  }

  look(): void {
    this.#endThose((condition) => (condition.holds() ? true : undefined));
  }

  tick(): void {
    this.#endThose((condition) => (condition.ticksLeft-- <= 0 ? false : undefined));
  }

  endAll(): void {
    this.#endThose(() => false);
  }

  #endThose(outcome: (condition: Condition) => boolean | undefined): void {
    this.#conditions = this.#conditions.filter((condition) => {
      const held = outcome(condition);
      if (held !== undefined) condition.end(held);
      return held === undefined;
    });
  }
}
