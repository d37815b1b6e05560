import { assert, unreachable } from "../../core/assert.ts";
import { errorCode } from "../../core/errors.ts";
import type { Container, ContainerId, Containers } from "../../runtime/container/types.ts";
import type { DataPlane } from "../network/data-plane.ts";
import { containerConfig, containerSpec, stopGraceMs } from "./container-config.ts";
import { Limiter } from "./limiter.ts";
import { observedContainer, taskIdOf } from "./observed-container.ts";
import { sandboxSpec } from "./sandbox-spec.ts";
import type { SharedPulls } from "./shared-pulls.ts";
import type { EffectResult } from "./task-event.ts";
import { containerFiles } from "./task-files.ts";
import type { TaskEffect, TaskModel } from "./task-model.ts";

/** Namespaces, bundles and starts made at once: enough to keep the kernel busy, few enough to keep each quick. */
export const WORK_PARALLEL_MAX = 16;

/** Carries out task effects with the machine's containers, images and network. Knows no rule. */
export class TaskExecutor {
  readonly #containers: Containers;
  readonly #pulls: SharedPulls;
  readonly #network: DataPlane;
  readonly #work = new Limiter(WORK_PARALLEL_MAX);

  constructor(containers: Containers, pulls: SharedPulls, network: DataPlane) {
    this.#containers = containers;
    this.#pulls = pulls;
    this.#network = network;
  }

  /**
   * Resolves with what became known.
   *
   * @param signal calls off a pull; everything else is quick or must be finished.
   * @throws {ClusterError} what the part that failed says.
   */
  async run(effect: TaskEffect, task: TaskModel, signal: AbortSignal): Promise<EffectResult> {
    switch (effect.kind) {
      case "pull":
        return this.#pull(task, signal);
      case "createSandbox":
        return this.#work.run(() => this.#createSandbox(task));
      case "createContainer":
        return this.#work.run(() => this.#createContainer(task));
      case "startContainer":
        return this.#work.run(() => this.#start(effect.id, task));
      case "stopContainer":
        // Mostly waiting for the grace period: no place is taken from those who work.
        return this.#stop(effect.id, task);
      case "removeContainer":
        return this.#work.run(() => this.#remove(effect.id));
      case "removeSandbox":
        return this.#work.run(() => this.#removeSandbox(task));
      default:
        return unreachable(effect);
    }
  }

  async #pull(task: TaskModel, signal: AbortSignal): Promise<EffectResult> {
    const { image, registryAuth } = containerSpec(task.assignment);
    await this.#pulls.need(image, registryAuth, signal);
    return { effect: "pull" };
  }

  async #createSandbox(task: TaskModel): Promise<EffectResult> {
    const sandbox = await this.#network.createSandbox(sandboxSpec(task.assignment));
    return { effect: "createSandbox", sandbox };
  }

  async #createContainer(task: TaskModel): Promise<EffectResult> {
    const container = await this.#createOrFind(task);
    return { effect: "createContainer", container: observedContainer(container) };
  }

  /** A container of this very task may be left from before a crash: then it is the one. */
  async #createOrFind(task: TaskModel): Promise<Container> {
    assert(task.sandbox !== undefined, "a container is made after its sandbox");
    try {
      return await this.#containers.create(containerConfig(task.assignment, task.sandbox));
    } catch (error) {
      const { id } = task.assignment.task;
      const mine = this.#containers.list().find((container) => taskIdOf(container) === id);
      if (errorCode(error) === "AlreadyExists" && mine !== undefined) return mine;
      throw error;
    }
  }

  async #start(id: ContainerId, task: TaskModel): Promise<EffectResult> {
    await this.#containers.start(id, { files: containerFiles(task.assignment) });
    return { effect: "startContainer", container: observedContainer(this.#containers.get(id)) };
  }

  async #stop(id: ContainerId, task: TaskModel): Promise<EffectResult> {
    await this.#containers.stop(id, { timeoutMs: stopGraceMs(task.assignment) });
    return { effect: "stopContainer", container: observedContainer(this.#containers.get(id)) };
  }

  async #remove(id: ContainerId): Promise<EffectResult> {
    await this.#containers.remove(id, { force: true });
    return { effect: "removeContainer" };
  }

  async #removeSandbox(task: TaskModel): Promise<EffectResult> {
    await this.#network.removeSandbox(task.assignment.task.id);
    return { effect: "removeSandbox" };
  }
}
