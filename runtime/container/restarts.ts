import type { Clock } from "../../core/clock.ts";
import type { Ending } from "./life.ts";
import type { ContainerStatus } from "./record.ts";
import { planRestart } from "./restart-policy.ts";
import type { RestartPolicy } from "./settings.ts";

/** The starts of one container by its restart policy: at most one is to come at a time. */
export class Restarts {
  readonly #clock: Clock;
  readonly #start: () => Promise<void>;
  /** Of the start that is to come, or was the last; 0: somebody started it. */
  #delayMs = 0;
  #cancel = () => {};

  /** @param start must not reject. */
  constructor(clock: Clock, start: () => Promise<void>) {
    this.#clock = clock;
    this.#start = start;
  }

  /** In how many milliseconds one whose run has ended is to be started again; undefined: it is not. */
  plan(policy: RestartPolicy, status: ContainerStatus, ending: Ending): number | undefined {
    const { startedAtMs, restartCount, stoppedByUser } = status;
    const ranMs = ending.finishedAtMs - startedAtMs;
    const run = { exitCode: ending.exitCode, ranMs, restartCount, stoppedByUser };
    return planRestart(policy, { ...run, lastDelayMs: this.#delayMs });
  }

  schedule(delayMs: number): void {
    this.#cancel();
    this.#delayMs = delayMs;
    this.#cancel = this.#clock.after(delayMs, () => void this.#start());
  }

  cancel(): void {
    this.#cancel();
  }

  /** Somebody starts it: the pauses begin with the shortest again. */
  reset(): void {
    this.#cancel();
    this.#delayMs = 0;
  }
}
