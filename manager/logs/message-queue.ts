/** Batches between the nodes and one reader; past it the nodes' streams are not read. */
export const BATCHES_MAX = 64;

/** Values from many writers to one reader, in order of arrival; writers wait while it is full. */
export class MessageQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  readonly #max: number;
  #writers: (() => void)[] = [];
  #reader: (() => void) | undefined;
  #ended: { readonly error: Error | undefined } | undefined;

  constructor(max: number = BATCHES_MAX) {
    this.#max = max;
  }

  /** Resolves when there is room for the next. What comes after the end is dropped. */
  async push(value: T): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#values.push(value);
    this.#reader?.();
    if (this.#values.length >= this.#max) {
      await new Promise<void>((go) => this.#writers.push(go));
    }
  }

  /** The reader gets what is queued, then the end, or the error thrown. Idempotent. */
  end(error?: Error): void {
    this.#ended ??= { error };
    this.#reader?.();
    this.#release();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    try {
      while (true) {
        const value = this.#values.shift();
        if (value !== undefined) {
          this.#release();
          yield value;
        } else if (this.#ended !== undefined) {
          if (this.#ended.error !== undefined) throw this.#ended.error;
          return;
        } else {
          await new Promise<void>((go) => {
            this.#reader = go;
          });
        }
      }
    } finally {
      this.end();
    }
  }

  #release(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const go of writers) go();
  }
}
