/**
 * Keeps cleaning away from work: what a pull has just stored belongs to no image yet.
 *
 * Work runs side by side; a sweep waits for all of it to end, and work begun meanwhile waits for the sweep.
 */
export class Housekeeping {
  readonly #sweep: () => Promise<void>;
  #working = 0;
  #wanted = false;
  #sweeping: Promise<void> = Promise.resolve();

  /** @param sweep removes what is not needed; never runs beside work. */
  constructor(sweep: () => Promise<void>) {
    this.#sweep = sweep;
  }

  /** Runs work that stores what nothing refers to yet. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const end = await this.begin();
    try {
      return await work();
    } finally {
      await end();
    }
  }

  /** Begins such work. @returns what ends it; to be called once, whatever happens. */
  async begin(): Promise<() => Promise<void>> {
    this.#working++;
    await this.#sweeping;
    return async () => {
      this.#working--;
      if (this.#wanted) await this.sweepSoon();
    };
  }

  /** Sweeps now, or, when work is under way, after it: then this resolves before the sweep. */
  async sweepSoon(): Promise<void> {
    this.#wanted = this.#working > 0;
    if (this.#wanted) return;
    const sweep = this.#sweeping.then(this.#sweep);
    // Who asked for it is told of a failure; work only waits for its end.
    this.#sweeping = sweep.catch(() => {});
    await sweep;
  }
}
