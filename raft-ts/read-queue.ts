import type { ReadState } from "./types.ts";

/**
 * Reads waiting for proof that this node still leads.
 *
 * One round of heartbeats serves all reads that came before it began; the next round begins when it is over, so the
 * number of heartbeats does not grow with the number of reads. Source: thesis §6.4.
 */
export class ReadQueue {
  readonly #max: number;
  #waiting: number[] = [];
  #asked: { readonly index: number; readonly contexts: readonly number[] } | undefined;
  #round = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** The round under way, for heartbeats to carry; 0 when none is. */
  get round(): number {
    return this.#asked === undefined ? 0 : this.#round;
  }

  get isFull(): boolean {
    return this.#waiting.length + (this.#asked?.contexts.length ?? 0) >= this.#max;
  }

  add(context: number): void {
    this.#waiting.push(context);
  }

  /** Begins a round for all that wait, to be served at `commit`. False when one is under way or nobody waits. */
  maybeBeginRound(commit: number): boolean {
    if (this.#asked !== undefined || this.#waiting.length === 0) return false;
    this.#asked = { index: commit, contexts: this.#waiting };
    this.#waiting = [];
    this.#round += 1;
    return true;
  }

  /** A quorum confirmed the rounds up to `round`. */
  confirmed(round: number): ReadState[] {
    const asked = this.#asked;
    if (asked === undefined || round < this.#round) return [];
    this.#asked = undefined;
    return asked.contexts.map((context) => ({ context, index: asked.index }));
  }

  /** Everything that was never answered. */
  abandoned(): number[] {
    return [...(this.#asked?.contexts ?? []), ...this.#waiting];
  }
}
