import type { Clock } from "../../core/clock.ts";
import { type HealthPlan, planHealth } from "../health/health-plan.ts";
import { type CheckExec, HealthLoop } from "../health/loop.ts";
import type { ContainerRecord, ContainerStatus } from "./record.ts";
import type { HealthStatus } from "./types.ts";

/** The health checks of one container: made from `begin` to `close`, again and again. Nothing to do for one without. */
export class HealthWatch {
  readonly #plan: HealthPlan | undefined;
  readonly #exec: CheckExec;
  readonly #onHealth: (health: HealthStatus) => Promise<void>;
  readonly #clock: Clock;
  #loop: HealthLoop | undefined;

  /**
   * @param onHealth called after each check; never rejects.
   * @throws {ClusterError} InvalidArgument as `planHealth`.
   */
  constructor(
    { config, imageConfig }: Pick<ContainerRecord, "config" | "imageConfig">,
    exec: CheckExec,
    onHealth: (health: HealthStatus) => Promise<void>,
    clock: Clock,
  ) {
    this.#plan = planHealth(config.health, imageConfig.healthcheck);
    this.#exec = exec;
    this.#onHealth = onHealth;
    this.#clock = clock;
  }

  /** Whether its health is checked at all. */
  get isWanted(): boolean {
    return this.#plan !== undefined;
  }

  /** For one that runs and is not frozen. */
  begin({ startedAtMs, health }: Pick<ContainerStatus, "startedAtMs" | "health">): void {
    if (this.#plan === undefined) return;
    const options = { plan: this.#plan, startedAtMs, health };
    const onResult = (result: HealthStatus) => void this.#onHealth(result);
    this.#loop = new HealthLoop(this.#exec, onResult, this.#clock, options);
  }

  /** No result is told after this, until it begins again. */
  close(): void {
    this.#loop?.close();
  }
}
