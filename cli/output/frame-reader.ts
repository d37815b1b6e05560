const HEADER_BYTES = 8;
const STDERR = 2;

/** What one frame of Docker's carries. */
export interface Frame {
  readonly stderr: boolean;
  readonly data: Buffer;
}

/** Takes Docker's frames apart, however they are cut into chunks. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole now. */
  *read(chunk: Buffer): Generator<Frame> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUInt32BE(4);
      if (this.#rest.length < end) return;
      const data = this.#rest.subarray(HEADER_BYTES, end);
      const stderr = this.#rest[0] === STDERR;
      this.#rest = this.#rest.subarray(end);
      yield { stderr, data };
    }
  }
}
