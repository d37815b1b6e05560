/** Things to look at again at given times, each at most once in the list. */
export class WakeTimes<T> {
  readonly #byKey = new Map<string, { readonly value: T; readonly atMs: number }>();
  /** Not after the earliest time; earlier after a removal, which costs one look too many. */
  #nextMs = Number.POSITIVE_INFINITY;

  /** Puts `value` on the list in place of what has its key. */
  set(key: string, value: T, atMs: number): void {
    this.#byKey.set(key, { value, atMs });
    this.#nextMs = Math.min(this.#nextMs, atMs);
  }

  clear(): void {
    this.#byKey.clear();
    this.#nextMs = Number.POSITIVE_INFINITY;
  }

  /** Takes off the list what is due. */
  takeDue(nowMs: number): T[] {
    if (nowMs < this.#nextMs) return [];
    const due: T[] = [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [key, { value, atMs }] of this.#byKey) {
      if (atMs <= nowMs) {
        this.#byKey.delete(key);
        due.push(value);
      } else {
        this.#nextMs = Math.min(this.#nextMs, atMs);
      }
    }
    return due;
  }

  /** When something may be due. */
  next(): number | undefined {
    return Number.isFinite(this.#nextMs) ? this.#nextMs : undefined;
  }
}
