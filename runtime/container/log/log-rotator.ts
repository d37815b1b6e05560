import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Clock } from "../../../core/clock.ts";
import { errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { JsonLog } from "./json-log.ts";
import type { LogLimits } from "./log-files.ts";
import { putAside } from "./log-set.ts";

/** How often sizes are looked at: in between a file may outgrow its limit, and the JSON one is behind. */
const LOG_CHECK_MS = 2000;

/** A log that there is something to do about. */
export interface RotatedLog {
  readonly containerId: string;
  readonly path: string;
  /** conmon's FIFO for orders. */
  readonly controlPath: string;
  readonly limits: LogLimits;
  /** Whether more is written; one that has ended is here until all of it is in `json`. */
  readonly isOpen: boolean;
  readonly json: JsonLog | undefined;
}

/** Source: conmon, ctrl.c: `type height width`, type 2 opens the log anew. */
const REOPEN_ORDER = "2 0 0\n";

/** Brings the JSON logs up to date and puts aside the logs that have grown too long, until closed. */
export class LogRotator {
  readonly #logs: () => Iterable<RotatedLog>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void;
  #closed = false;

  /** @param logs those being written now, or not in JSON yet. */
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

  #schedule(delayMs = LOG_CHECK_MS): () => void {
    return this.#clock.after(delayMs, () => void this.#checkAll());
  }

  async #checkAll(): Promise<void> {
    let isBehind = false;
    for (const log of this.#logs()) {
      try {
        // First: a file that is put aside may push the oldest one out.
        if (log.json !== undefined && !(await log.json.catchUp())) isBehind = true;
        if (log.isOpen) await maybeRotate(log);
      } catch (error) {
        const reason = errorMessage(error);
        this.#log.warn("cannot rotate a container's log", { container: log.containerId, reason });
      }
    }
    if (!this.#closed) this.#cancel = this.#schedule(isBehind ? 0 : LOG_CHECK_MS);
  }
}

/**
 * Puts the newest file aside when it is too long and has conmon begin a new one.
 *
 * One at a time for one log: conmon replaces whatever is at the path, so a second order at once would lose what the first
 * new file already has.
 */
export async function maybeRotate(
  log: Pick<RotatedLog, "path" | "controlPath" | "limits">,
): Promise<void> {
  const { size } = await stat(log.path);
  if (size <= log.limits.sizeBytesMax) return;
  // Opened first: without conmon at the other end nothing is moved. Non-blocking, so that this fails instead of waiting.
  const control = await open(log.controlPath, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    // One alone is left where it is: conmon replaces it.
    if (log.limits.filesMax > 1) await putAside(log.path, log.limits.filesMax);
    await control.write(REOPEN_ORDER);
  } finally {
    await control.close();
  }
}
