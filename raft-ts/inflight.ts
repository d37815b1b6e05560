import { assert } from "./assert.ts";

/** The `append` messages under way to one peer: a window bounded by count and by bytes. */
export class Inflight {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #sent: { readonly lastIndex: number; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(limits: { readonly countMax: number; readonly bytesMax: number }) {
    this.#countMax = limits.countMax;
    this.#bytesMax = limits.bytesMax;
  }

  /** The last message may overshoot the bytes; then the window is full. */
  get isFull(): boolean {
    return this.#sent.length >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  add(lastIndex: number, bytes: number): void {
    assert(!this.isFull, "append sent into a full window");
    this.#sent.push({ lastIndex, bytes });
    this.#bytes += bytes;
  }

  /** Everything up to `index` has arrived. */
  freeTo(index: number): void {
    let freed = 0;
    for (const { lastIndex, bytes } of this.#sent) {
      if (lastIndex > index) break;
      this.#bytes -= bytes;
      freed += 1;
    }
    if (freed > 0) this.#sent.splice(0, freed);
  }

  clear(): void {
    this.#sent = [];
    this.#bytes = 0;
  }
}
