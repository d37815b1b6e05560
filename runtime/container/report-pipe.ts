import { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";

const REPORT_BYTES_MAX = 65_536;

/** What conmon says through a pipe, a line at a time. */
export class ReportPipe {
  readonly #socket: Socket;
  #text = "";
  #ended = false;
  #wake = () => {};

  /** @param fd is ours from here on. */
  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("utf8");
      if (this.#text.length > REPORT_BYTES_MAX) this.#socket.destroy();
      this.#wake();
    });
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.once("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next line; what there is of it at the end, mostly nothing. */
  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end !== -1 || this.#ended) {
        const line = end === -1 ? this.#text : this.#text.slice(0, end);
        this.#text = end === -1 ? "" : this.#text.slice(end + 1);
        return line;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /**
   * @param what there was no word of: `create it`.
   * @throws {ClusterError} DeadlineExceeded.
   */
  async nextWithin(limitMs: number, clock: Clock, what: string): Promise<string> {
    let isLate = false;
    const cancel = clock.after(limitMs, () => {
      isLate = true;
      this.close();
    });
    const line = await this.next();
    cancel();
    if (!isLate) return line;
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot start container: the runtime did not ${what} within ${limitMs / 1000} s`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }
}
