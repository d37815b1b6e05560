/** What a client that is attached to a process has of its streams. */
export interface AttachedStreams {
  /** Ends when the process has; throws `ResourceExhausted` at a client that takes nothing for too long. */
  readonly output: AsyncIterable<{ readonly stderr: boolean; readonly data: Uint8Array }>;
  /** Resolves when more may be sent. */
  write(data: Uint8Array): Promise<void>;
  /** No more input comes from this client. */
  closeInput(): void;
  close(): void;
  /** As `close`, by the client's own will while the process runs. */
  detach(): void;
}
