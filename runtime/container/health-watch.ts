import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { type HealthPlan, planHealth } from "../health/health-plan.ts";
import { type CheckExec, HealthLoop } from "../health/loop.ts";
import type { ContainerRecord, ContainerStatus } from "./record.ts";
import { SIGKILL } from "./stop-process.ts";
import type { ContainerEvent, HealthStatus } from "./types.ts";

const EXEC_ID_BYTES = 32;
/** The exit code of what a signal has ended is this and the signal. */
const SIGNALLED = 128;

/** The container as its checks see it. */
export interface CheckedContainer {
  readonly exec: CheckExec;
  /** Called after each check; never rejects. */
  readonly onHealth: (health: HealthStatus) => Promise<void>;
  readonly emit: (event: ContainerEvent) => void;
}

/** The health checks of one container: made from `begin` to `close`, again and again. Nothing to do for one without. */
export class HealthWatch {
  readonly #plan: HealthPlan | undefined;
  readonly #id: ContainerRecord["id"];
  readonly #container: CheckedContainer;
  readonly #clock: Clock;
  #loop: HealthLoop | undefined;

  /** @throws {ClusterError} InvalidArgument as `planHealth`. */
  constructor(
    { id, config, imageConfig }: Pick<ContainerRecord, "id" | "config" | "imageConfig">,
    container: CheckedContainer,
    clock: Clock,
  ) {
    this.#plan = planHealth(config.health, imageConfig.healthcheck);
    this.#id = id;
    this.#container = container;
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
    const onResult = (result: HealthStatus) => void this.#container.onHealth(result);
    const exec: CheckExec = (command, timeoutMs) => this.#exec(command, timeoutMs);
    this.#loop = new HealthLoop(exec, onResult, this.#clock, options);
  }

  /** No result is told after this, until it begins again. */
  close(): void {
    this.#loop?.close();
  }

  /** A command like any other, as the journal tells it. */
  async #exec(command: readonly string[], timeoutMs: number): ReturnType<CheckExec> {
    const { exec, emit } = this.#container;
    const execId = randomBytes(EXEC_ID_BYTES).toString("hex");
    const tell = (action: "create" | "start" | "die", exitCode: number) =>
      emit({ kind: "exec", id: this.#id, execId, action, command, exitCode });
    tell("create", 0);
    tell("start", 0);
    const result = await exec(command, timeoutMs);
    tell("die", result.timedOut ? SIGNALLED + SIGKILL : result.exitCode);
    return result;
  }
}
