import type { ClientWritableStream } from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import type { LogMessage } from "../../proto/gen/control.ts";
import type { PublishedLogs } from "../../proto/gen/dispatcher.ts";
import { LogBatch } from "./log-batch.ts";

/**
 * Sends log messages of several tasks over one stream.
 *
 * While the stream is busy messages gather in one batch; when that is full the sources wait. So a reader that is slow
 * slows the reading of files, and costs no memory.
 */
export class BatchSender {
  readonly #stream: ClientWritableStream<PublishedLogs>;
  readonly #subscriptionId: string;
  readonly #signal: AbortSignal;
  readonly #batch = new LogBatch();
  #pumping: Promise<void> | undefined;

  constructor(
    stream: ClientWritableStream<PublishedLogs>,
    subscriptionId: string,
    signal: AbortSignal,
  ) {
    this.#stream = stream;
    this.#subscriptionId = subscriptionId;
    this.#signal = signal;
  }

  /** Says that the tasks are being read, be there anything to send or not. */
  open(): void {
    this.#stream.write({ subscriptionId: this.#subscriptionId, messages: [], ended: [] });
  }

  /** Resolves when there is room for more. @throws {ClusterError} `Cancelled` when the stream is no longer wanted. */
  async add(message: LogMessage): Promise<void> {
    this.#batch.add(message);
    this.#pumping ??= this.#pump();
    if (this.#batch.full) await this.#pumping;
    if (this.#signal.aborted) throw new ClusterError("Cancelled", "the log stream was called off");
  }

  /** The task has no more to say. */
  end(taskId: string, err: string): void {
    this.#batch.end({ taskId, err });
    this.#pumping ??= this.#pump();
  }

  /** Sends what is left and closes the stream. */
  async finish(): Promise<void> {
    await this.#pumping;
    this.#stream.end();
  }

  async #pump(): Promise<void> {
    // A turn later, so that lines read together travel together.
    await Promise.resolve();
    while (!this.#batch.empty && !this.#signal.aborted) {
      const room = this.#stream.write({
        subscriptionId: this.#subscriptionId,
        ...this.#batch.take(),
      });
      if (!room) await this.#drained();
    }
    this.#pumping = undefined;
  }

  /** Whether there is room or nobody cares any more. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off("drain", done);
        this.#signal.removeEventListener("abort", done);
        resolve();
      };
      this.#stream.once("drain", done);
      this.#signal.addEventListener("abort", done, { once: true });
      if (this.#signal.aborted) done();
    });
  }
}
