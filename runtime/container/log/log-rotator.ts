import { constants } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import type { Clock } from "../../../core/clock.ts";
import { errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { type LogLimits, planRotation } from "./log-files.ts";

/** How often sizes are looked at; in between a file may outgrow its limit. */
const LOG_CHECK_MS = 2000;

/** A log being written. */
export interface RotatedLog {
  readonly containerId: string;
  readonly path: string;
  /** conmon's FIFO for orders. */
  readonly controlPath: string;
  readonly limits: LogLimits;
}

/** Source: conmon, ctrl.c: `type height width`, type 2 opens the log anew. */
const REOPEN_ORDER = "2 0 0\n";

/** Puts aside the logs that have grown too long, until closed. */
export class LogRotator {
  readonly #logs: () => Iterable<RotatedLog>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void;
  #closed = false;

  /** @param logs those being written now. */
  constructor(logs: () => Iterable<RotatedLog>, clock: Clock, log: Log) {
    this.#logs = logs;
    this.#clock = clock;
    this.#log = log;
    this.#cancel = this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.after(LOG_CHECK_MS, () => void this.#checkAll());
  }

  async #checkAll(): Promise<void> {
    for (const log of this.#logs()) {
      try {
        await maybeRotate(log);
      } catch (error) {
        const reason = errorMessage(error);
        this.#log.warn("cannot rotate a container's log", { container: log.containerId, reason });
      }
    }
    if (!this.#closed) this.#cancel = this.#schedule();
  }
}

/**
 * Puts the newest file aside when it is too long and has conmon begin a new one.
 *
 * One at a time for one log: conmon replaces whatever is at the path, so a second order at once would lose what the first
 * new file already has.
 */
export async function maybeRotate(log: RotatedLog): Promise<void> {
  const { size } = await stat(log.path);
  if (size <= log.limits.sizeBytesMax) return;
  // Opened first: without conmon at the other end nothing is moved. Non-blocking, so that this fails instead of waiting.
  const control = await open(log.controlPath, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (const { from, to } of planRotation(log.path, log.limits.filesMax))
      await moveIfAny(from, to);
    await control.write(REOPEN_ORDER);
  } finally {
    await control.close();
  }
}

async function moveIfAny(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
