import { ClusterError } from "../../core/errors.ts";

/**
 * Lets at most `slots` pieces of work run at a time, the rest in the order they came.
 *
 * With one slot it makes a container's operations take turns.
 */
export class Turns {
  readonly #slots: number;
  readonly #waitingMax: number;
  readonly #what: string;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** @param what the work is about, for the error: `container web.1`. */
  constructor(what: string, options: { readonly slots: number; readonly waitingMax: number }) {
    this.#what = what;
    this.#slots = options.slots;
    this.#waitingMax = options.waitingMax;
  }

  /** @throws {ClusterError} ResourceExhausted when too much waits already; otherwise as `work`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#slots && this.#waiting.length >= this.#waitingMax)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot queue another operation for ${this.#what}: ${this.#waitingMax} wait already`,
      );
    return this.#take(work, (resume) => this.#waiting.push(resume));
  }

  /** Before all that waits, and never refused: for what has happened already. */
  async runFirst<T>(work: () => Promise<T>): Promise<T> {
    return this.#take(work, (resume) => this.#waiting.unshift(resume));
  }

  async #take<T>(work: () => Promise<T>, wait: (resume: () => void) => void): Promise<T> {
    if (this.#busy < this.#slots) this.#busy += 1;
    else await new Promise<void>((resolve) => wait(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The slot goes from hand to hand: nobody who comes now can take it before the one who waited.
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }
}
