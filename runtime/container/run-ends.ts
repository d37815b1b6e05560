/** Who wants to know of each end of a container's runs. */
export class RunEnds {
  readonly #listeners = new Set<() => void>();

  /** Calls back at each; returns how to stop that. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the next. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.on(() => {
        forget();
        resolve();
      });
    });
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
