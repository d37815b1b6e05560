import type { Clock } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import type { HealthStatus } from "../container/types.ts";
import {
  afterCheck,
  type CheckResult,
  HEALTH_OUTPUT_BYTES_MAX,
  nextCheckDelayMs,
  timeoutOutput,
} from "./health.ts";
import type { HealthPlan } from "./health-plan.ts";

/** Runs a command inside the container. */
export type CheckExec = (
  command: readonly string[],
  timeoutMs: number,
) => Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }>;

/** What a check is written down as that could not be made or took too long. Source: moby, exitStatusUnhealthy's neighbour. */
const NO_EXIT_CODE = -1;

/** Checks one running container again and again until closed; one check at a time. */
export class HealthLoop {
  readonly #plan: HealthPlan;
  readonly #startedAtMs: number;
  readonly #clock: Clock;
  readonly #exec: CheckExec;
  readonly #onResult: (health: HealthStatus) => void;
  #health: HealthStatus;
  #cancel: () => void;
  #closed = false;

  /** @param onResult called after each check, with the health it led to. */
  constructor(
    exec: CheckExec,
    onResult: (health: HealthStatus) => void,
    clock: Clock,
    options: {
      readonly plan: HealthPlan;
      readonly startedAtMs: number;
      readonly health: HealthStatus;
    },
  ) {
    this.#plan = options.plan;
    this.#startedAtMs = options.startedAtMs;
    this.#health = options.health;
    this.#clock = clock;
    this.#exec = exec;
    this.#onResult = onResult;
    this.#cancel = this.#schedule();
  }

  /** No result is told after this. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #schedule(): () => void {
    const nowMs = this.#clock.nowMs();
    const delayMs = nextCheckDelayMs(this.#health, this.#plan, this.#startedAtMs, nowMs);
    return this.#clock.after(delayMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const result = await this.#result();
    if (this.#closed) return;
    this.#health = afterCheck(this.#health, this.#plan, this.#startedAtMs, result);
    this.#onResult(this.#health);
    this.#cancel = this.#schedule();
  }

  /** Never rejects: a check that cannot be made is a failed one. */
  async #result(): Promise<CheckResult> {
    const { command, timeoutMs } = this.#plan;
    const startMs = this.#clock.nowMs();
    try {
      const { exitCode, output, timedOut } = await this.#exec(command, timeoutMs);
      const endMs = this.#clock.nowMs();
      if (timedOut)
        return { startMs, endMs, exitCode: NO_EXIT_CODE, output: timeoutOutput(timeoutMs) };
      return { startMs, endMs, exitCode, output: output.slice(0, HEALTH_OUTPUT_BYTES_MAX) };
    } catch (error) {
      const endMs = this.#clock.nowMs();
      return { startMs, endMs, exitCode: NO_EXIT_CODE, output: errorMessage(error) };
    }
  }
}
