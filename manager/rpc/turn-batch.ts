/** Bytes of a batch at most, or one item that is larger: gRPC takes no message over 4 MiB. */
export const BATCH_BYTES_MAX = 256 * 1024;

/** Gathers what is added while one event is worked on, promises' continuations included, and then gives it on. */
export class TurnBatch<T> {
  readonly #send: (items: T[]) => void;
  readonly #bytesOf: (item: T) => number;
  #items: T[] = [];
  #bytes = 0;
  #isScheduled = false;

  constructor(send: (items: T[]) => void, bytesOf: (item: T) => number) {
    this.#send = send;
    this.#bytesOf = bytesOf;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(item: T): void {
    const bytes = this.#bytesOf(item);
    if (this.#bytes + bytes > BATCH_BYTES_MAX) this.flush();
    this.#items.push(item);
    this.#bytes += bytes;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Gives on what there is now. */
  flush(): void {
    if (this.isEmpty) return;
    const items = this.#items;
    this.clear();
    this.#send(items);
  }

  /** Forgets what there is. */
  clear(): void {
    this.#items = [];
    this.#bytes = 0;
  }
}
