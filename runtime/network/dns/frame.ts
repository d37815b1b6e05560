/** DNS over TCP: each message after its length in two bytes. Pure. Source: RFC 1035 §4.2.2. */

const LENGTH_BYTES = 2;

export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES + message.length);
  bytes.writeUInt16BE(message.length, 0);
  bytes.set(message, LENGTH_BYTES);
  return bytes;
}

/** Puts messages together from chunks of a stream; holds less than one message, at most 64 KiB. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that the chunk completes. */
  push(chunk: Uint8Array): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (this.#rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#rest.readUInt16BE(0);
      if (this.#rest.length < end) break;
      messages.push(this.#rest.subarray(LENGTH_BYTES, end));
      this.#rest = this.#rest.subarray(end);
    }
    return messages;
  }
}
