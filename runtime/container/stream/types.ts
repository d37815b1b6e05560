/** A piece of what a container's process wrote. */
export interface OutputChunk {
  readonly stderr: boolean;
  readonly data: Uint8Array;
}

/** What somebody who is attached to a container, or to a command in it, has of its streams. */
export interface Attachment {
  /**
   * Output as it comes; ends when the process has.
   *
   * Who does not take it holds the process back, and is cut off when he takes nothing at all for STALL_MAX_MS: it then
   * throws ResourceExhausted.
   */
  readonly output: AsyncIterable<OutputChunk>;
  /** Resolves when more may be sent; what comes too late, or to one without open input, is dropped. */
  write(data: Uint8Array): Promise<void>;
  /** No more input comes from here: where the input ends with the first who gives it, the process reads the end of it. */
  closeInput(): void;
  /** Goes; the process runs on. */
  close(): void;
}
