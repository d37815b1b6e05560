import type { ServiceRevision, Task, TaskSpec, TaskStatus } from "../../proto/gen/objects.ts";
import type { ContainerId, ContainerState, HealthState } from "../../runtime/container/types.ts";
import type { Sandbox } from "../network/types.ts";
import type { TaskFile } from "./task-files.ts";

/** One assigned task as the worker sees it: what is asked, what was observed, what is under way. Never changed in place. */
export interface TaskModel {
  readonly assignment: AssignedTask;
  /** What is reported to the managers; its state only rises. */
  readonly status: TaskStatus;
  /** No longer in the managers' set: stop it, remove everything of it, forget it. */
  readonly unwanted: boolean;
  readonly imagePresent: boolean;
  /** Undefined: not made by this process, so it may or may not exist. */
  readonly sandbox: Sandbox | undefined;
  /** Whether the sandbox was removed since the task ended. */
  readonly sandboxGone: boolean;
  readonly container: ObservedContainer | undefined;
  /** The one effect under way. */
  readonly busy: EffectKind | undefined;
  /** After failures worth another try: of what, how many there were and when the next may be made. */
  readonly retry:
    | { readonly effect: EffectKind; readonly count: number; readonly atMs: number }
    | undefined;
  /** Its health check gave it up: we stop it, and it has failed. */
  readonly unhealthy: boolean;
}

/** A task as the managers assigned it, together with what its revision says. */
export interface AssignedTask {
  readonly task: Task;
  readonly serviceName: string;
  readonly revision: ServiceRevision;
  readonly spec: TaskSpec;
  /** Configs and secrets it reads. Absent: no manager has sent them yet, or it has no more use for them. */
  readonly files?: readonly TaskFile[];
}

export interface ObservedContainer {
  readonly id: ContainerId;
  readonly state: ContainerState;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly health: HealthState;
  /** What the newest failed check printed. */
  readonly healthOutput: string;
}

/** A deed the shell carries out for one task; at most one at a time. */
export type TaskEffect =
  | { readonly kind: "pull" }
  | { readonly kind: "createSandbox" }
  | { readonly kind: "createContainer" }
  | { readonly kind: "startContainer"; readonly id: ContainerId }
  | { readonly kind: "stopContainer"; readonly id: ContainerId }
  | { readonly kind: "removeContainer"; readonly id: ContainerId }
  | { readonly kind: "removeSandbox" };
export type EffectKind = TaskEffect["kind"];

/** A task just assigned, or read from disk with the status it had. */
export function newTaskModel(
  assignment: AssignedTask,
  status: TaskStatus,
  container?: ObservedContainer,
): TaskModel {
  return {
    assignment,
    status,
    unwanted: false,
    imagePresent: false,
    sandbox: undefined,
    sandboxGone: false,
    container,
    busy: undefined,
    retry: undefined,
    unhealthy: false,
  };
}
