/** Lets at most `max` jobs run at once; the others wait their turn in order. */
export class Limiter {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** The job's own outcome. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running++;
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      // The place passes on without becoming free in between, so nobody overtakes.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
