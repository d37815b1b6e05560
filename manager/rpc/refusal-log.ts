import type { Clock } from "../../core/clock.ts";
import type { Log, LogFields } from "../../core/log.ts";

/** Refusals logged in a row, of all peers together. */
export const REFUSALS_BURST = 50;
/** Lines got back each second. */
export const REFUSALS_PER_SECOND = 1;

/**
 * Logs whom a manager refused, a line each, but never so many that a flood fills the disk: what was left out is counted
 * and said with the next line.
 */
export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #left = REFUSALS_BURST;
  #atMs: number;
  #unsaid = 0;

  constructor(log: Log, clock: Pick<Clock, "monotonicMs">) {
    this.#log = log;
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  /** @param fields name the peer: its address, and its node id where it has shown one. */
  warn(message: string, fields: LogFields): void {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#atMs) / 1000) * REFUSALS_PER_SECOND;
    this.#left = Math.min(REFUSALS_BURST, this.#left + gained);
    this.#atMs = nowMs;
    if (this.#left < 1) {
      this.#unsaid++;
      return;
    }
    this.#left--;
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    this.#log.warn(message, unsaid === 0 ? fields : { ...fields, refusalsNotLogged: unsaid });
  }
}
