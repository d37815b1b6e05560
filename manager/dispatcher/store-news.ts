import { TaskState } from "../../proto/gen/objects.ts";
import type { StoreEvent } from "../store/apply.ts";
import type { StoredTask } from "../store/objects.ts";

/** What a batch of store events means to the dispatcher. */
export interface StoreNews {
  readonly tasks: readonly { readonly taskId: string; readonly nodeId: string }[];
  /** Tasks that take connections and are now to stop. */
  readonly stopping: readonly StoredTask[];
  /** Nodes that changed in more than what they reported of themselves, or were removed. */
  readonly nodes: ReadonlySet<string>;
  /** Whether the list of managers may be another. */
  readonly managers: boolean;
  readonly cluster: boolean;
}

/** Sorts events by what they call for. */
export function storeNews(events: readonly StoreEvent[]): StoreNews {
  const tasks: { taskId: string; nodeId: string }[] = [];
  const stopping: StoredTask[] = [];
  const nodes = new Set<string>();
  let managers = false;
  let cluster = false;
  for (const event of events) {
    if (event.kind === "task") {
      const task = event.after ?? event.before;
      if (task === undefined || task.nodeId === "") continue;
      tasks.push({ taskId: task.id, nodeId: task.nodeId });
      if (!isStopping(event.before) && isStopping(event.after)) stopping.push(task);
    } else if (event.kind === "node") {
      const { before, after } = event;
      managers ||= before?.manager !== after?.manager;
      if (before?.spec !== after?.spec || before?.attachments !== after?.attachments) {
        nodes.add((after ?? before)?.id ?? "");
      }
    } else if (event.kind === "cluster") {
      cluster = true;
    }
  }
  return { tasks, stopping, nodes, managers, cluster };
}

/** Whether a task runs, so connections reach it, and is to stop. */
export function isStopping(task: StoredTask | undefined): boolean {
  return (
    task !== undefined &&
    task.status.state === TaskState.RUNNING &&
    task.desiredState > TaskState.RUNNING
  );
}
