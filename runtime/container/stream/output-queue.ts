import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { OutputChunk } from "./types.ts";

/** Output one client has not taken yet may be this long before the process is held back. */
export const QUEUE_BYTES_MAX = 256 * 1024;
/** A client that takes nothing for so long, while the process waits for it, is cut off. */
export const STALL_MAX_MS = 30_000;

/** The output that waits for one client. */
export class OutputQueue {
  readonly #clock: Clock;
  readonly #onRoom: () => void;
  readonly #onStalled: () => void;
  readonly #chunks: OutputChunk[] = [];
  #bytes = 0;
  #over = false;
  #failure: ClusterError | undefined;
  #wake = () => {};
  #cancelStall = () => {};

  /** @param on `room`: there is room again; `stalled`: the client was cut off. */
  constructor(clock: Clock, on: { readonly room: () => void; readonly stalled: () => void }) {
    this.#clock = clock;
    this.#onRoom = on.room;
    this.#onStalled = on.stalled;
  }

  get isFull(): boolean {
    return this.#bytes >= QUEUE_BYTES_MAX;
  }

  push(chunk: OutputChunk): void {
    if (this.#over) return;
    const wasFull = this.isFull;
    this.#chunks.push(chunk);
    this.#bytes += chunk.data.length;
    if (!wasFull) this.#watch();
    this.#wake();
  }

  /** Nothing more comes; what is here is still given. */
  end(): void {
    this.#over = true;
    this.#cancelStall();
    this.#wake();
  }

  /** Nobody takes any more. */
  drop(): void {
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.end();
  }

  async *take(): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#over) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#bytes -= chunk.data.length;
      this.#cancelStall();
      this.#watch();
      if (!this.isFull) this.#onRoom();
      yield chunk;
    }
  }

  #watch(): void {
    if (this.isFull && !this.#over)
      this.#cancelStall = this.#clock.after(STALL_MAX_MS, () => this.#cutOff());
  }

  #cutOff(): void {
    this.#failure = new ClusterError(
      "ResourceExhausted",
      `the client took no output for ${STALL_MAX_MS / 1000} s: it is cut off`,
    );
    this.drop();
    this.#onStalled();
  }
}
