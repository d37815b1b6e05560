import { ID_LENGTH } from "../core/ids.ts";
import { ServiceRevision, Task, TaskSpec, TaskState, TaskStatus } from "../proto/gen/objects.ts";
import type { StoredTask } from "../proto/gen/worker_state.ts";
import type { Container, Containers } from "../runtime/container/types.ts";
import { observedContainer, taskIdOf } from "./tasks/observed-container.ts";
import { type AssignedTask, newTaskModel, type TaskModel } from "./tasks/task-model.ts";

/** The tasks a former daemon left on this node. */
export interface RestoredTasks {
  /** Known from the disk: to be carried on at once, with or without a manager. */
  readonly known: readonly TaskModel[];
  /** Containers of tasks the disk says nothing of: left alone until the managers say whether they are wanted. */
  readonly strays: readonly TaskModel[];
}

/** Joins what the disk says with the containers there are. */
export function restoreTasks(
  stored: readonly StoredTask[],
  containers: Pick<Containers, "list">,
): RestoredTasks {
  const byTask = new Map<string, Container>();
  for (const container of containers.list()) {
    const taskId = taskIdOf(container);
    if (taskId !== undefined) byTask.set(taskId, container);
  }
  const known: TaskModel[] = [];
  for (const one of stored) {
    const task = restoreTask(one, byTask);
    if (task === undefined) continue;
    known.push(task);
    byTask.delete(task.assignment.task.id);
  }
  return { known, strays: [...byTask].map(([taskId, container]) => stray(taskId, container)) };
}

/** Sandboxes are named by task or by container; of ours, the ones no task owns. */
export function orphanSandboxes(
  sandboxIds: readonly string[],
  tasks: readonly TaskModel[],
): string[] {
  const owned = new Set(tasks.map((task) => task.assignment.task.id));
  return sandboxIds.filter((id) => id.length === ID_LENGTH && !owned.has(id));
}

function restoreTask(
  { assignment, revision, status }: StoredTask,
  containers: ReadonlyMap<string, Container>,
): TaskModel | undefined {
  const { task, serviceName } = assignment ?? {};
  if (task === undefined || serviceName === undefined || status === undefined) return undefined;
  if (revision?.task === undefined) return undefined;
  const container = containers.get(task.id);
  return newTaskModel(
    { task, serviceName, revision, spec: revision.task },
    status,
    container === undefined ? undefined : observedContainer(container),
  );
}

function stray(taskId: string, container: Container): TaskModel {
  const { labels } = container.config;
  const serviceId = labels["com.docker.swarm.service.id"] ?? "";
  const assignment: AssignedTask = {
    task: Task.create({ id: taskId, serviceId, desiredState: TaskState.RUNNING }),
    serviceName: labels["com.docker.swarm.service.name"] ?? "",
    revision: ServiceRevision.create({ serviceId }),
    spec: TaskSpec.create(),
  };
  return newTaskModel(assignment, TaskStatus.create(), observedContainer(container));
}
