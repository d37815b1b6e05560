import type { Clock } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

/** How often the kernel's rules are compared with ours: others flush them, and then ports are dead and networks open. */
const REPAIR_INTERVAL_MS = 30_000;

/** Rules of this machine that somebody else may change. */
export interface Repairable {
  /** Writes them again where the kernel has others. @returns whether it had. */
  verify(): boolean;
}

/** Sees to it that the rules of this machine's networks are what they should be. */
export class RepairLoop {
  readonly #parts: Readonly<Record<string, Repairable>>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void;

  /** @param parts by what they are called in the log. */
  constructor(parts: Readonly<Record<string, Repairable>>, clock: Clock, log: Log) {
    this.#parts = parts;
    this.#clock = clock;
    this.#log = log;
    this.#cancel = this.#schedule();
  }

  /** Repairs now; never throws: what fails is told, and tried again soon. */
  run(): void {
    for (const [rules, part] of Object.entries(this.#parts)) {
      try {
        if (part.verify())
          this.#log.warn("somebody has changed rules of the network: written again", { rules });
      } catch (error) {
        this.#log.error("cannot repair rules of the network", {
          rules,
          reason: errorMessage(error),
        });
      }
    }
  }

  close(): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.after(REPAIR_INTERVAL_MS, () => {
      this.run();
      this.#cancel = this.#schedule();
    });
  }
}
