/** Bytes of a stream, taken by number; a chunk of it is held at most, beside what was asked for. */
export class ChunkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Of the next byte to be taken. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `count` bytes; fewer at the stream's end. */
  async take(count: number): Promise<Buffer> {
    const parts = [this.#held];
    let have = this.#held.length;
    while (have < count) {
      const { value, done } = await this.#source.next();
      if (done === true) break;
      parts.push(Buffer.from(value));
      have += value.length;
    }
    return this.#split(Buffer.concat(parts), count);
  }

  /** The next line without its end; undefined when none ends within `max` bytes. */
  async line(max: number): Promise<string | undefined> {
    const head = await this.take(max);
    const end = head.indexOf("\n");
    this.#held = Buffer.concat([head.subarray(end < 0 ? head.length : end + 1), this.#held]);
    this.#offset -= end < 0 ? 0 : head.length - end - 1;
    return end < 0 ? undefined : head.subarray(0, end).toString("utf8");
  }

  #split(all: Buffer, count: number): Buffer {
    this.#held = all.subarray(Math.min(count, all.length));
    const taken = all.subarray(0, count);
    this.#offset += taken.length;
    return taken;
  }
}
