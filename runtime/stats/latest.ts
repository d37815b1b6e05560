/** Hands over the latest value only: one who reads slowly misses what came between. Bounded by one value. */
export class Latest<T> {
  readonly #missedMax: number;
  readonly #onTooSlow: () => void;
  #value: { readonly value: T } | undefined;
  #missed = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param missedMax as many in a row may be missed; then it ends. */
  constructor(missedMax: number, onTooSlow: () => void) {
    this.#missedMax = missedMax;
    this.#onTooSlow = onTooSlow;
  }

  offer(value: T): void {
    if (this.#ended) return;
    this.#missed = this.#value === undefined ? 0 : this.#missed + 1;
    this.#value = { value };
    if (this.#missed > this.#missedMax) {
      this.end();
      this.#onTooSlow();
    }
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *values(): AsyncGenerator<T> {
    for (;;) {
      const next = this.#value;
      this.#value = undefined;
      if (this.#ended) return;
      if (next !== undefined) yield next.value;
      else await this.#untilWoken();
    }
  }

  async #untilWoken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
