/** A binary heap: the least item first, by a comparison that may change only for the item at the top. */
export class Heap<T> {
  readonly #items: T[];
  readonly #less: (a: T, b: T) => boolean;

  constructor(items: Iterable<T>, less: (a: T, b: T) => boolean) {
    this.#items = [...items];
    this.#less = less;
    for (let i = (this.#items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item; it stays. */
  top(): T | undefined {
    return this.#items[0];
  }

  /** Takes out the least item. */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink(0);
    }
    return top;
  }

  /** To be called after the item at the top has become greater. */
  topChanged(): void {
    if (this.#items.length > 0) this.#sink(0);
  }

  #sink(start: number): void {
    const items = this.#items;
    let place = start;
    const item = items[place];
    if (item === undefined) return;
    for (;;) {
      let child = 2 * place + 1;
      let least = items[child];
      if (least === undefined) break;
      const right = items[child + 1];
      if (right !== undefined && this.#less(right, least)) {
        least = right;
        child++;
      }
      if (!this.#less(least, item)) break;
      items[place] = least;
      place = child;
    }
    items[place] = item;
  }
}
