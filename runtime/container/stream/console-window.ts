import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { ConsoleSize } from "../exec/types.ts";

/** Two orders in one read of conmon's are the first order twice: the last size is said again when conmon has had time. */
const SAY_AGAIN_MS = 100;
const SIZE_MAX = 65_535;

/** The window of a terminal that conmon holds. */
export class ConsoleWindow {
  readonly #controlFifo: string;
  readonly #clock: Clock;
  #cancel = () => {};

  /** @param controlFifo conmon's FIFO for orders. */
  constructor(controlFifo: string, clock: Clock) {
    this.#controlFifo = controlFifo;
    this.#clock = clock;
  }

  /** @throws {ClusterError} InvalidArgument; FailedPrecondition when there is no conmon. */
  resize(size: ConsoleSize): void {
    for (const count of [size.rows, size.columns])
      if (!Number.isInteger(count) || count < 0 || count > SIZE_MAX)
        throw new ClusterError("InvalidArgument", `invalid size of a terminal: ${count}`);
    this.#cancel();
    if (!this.#say(size))
      throw new ClusterError(
        "FailedPrecondition",
        "cannot resize a terminal: its process has ended",
      );
    this.#cancel = this.#clock.after(SAY_AGAIN_MS, () => void this.#say(size));
  }

  /** Whether anybody heard it. */
  #say({ rows, columns }: ConsoleSize): boolean {
    try {
      const fd = openSync(this.#controlFifo, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        writeSync(fd, `1 ${rows} ${columns}\n`);
        return true;
      } finally {
        closeSync(fd);
      }
    } catch {
      // No FIFO or no reader: conmon is gone.
      return false;
    }
  }
}
