import type { RestartRecord, Task } from "../../proto/gen/objects.ts";
import { Task as TaskMessage, type TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { createChange, updateChange } from "../store/changes.ts";
import type { StoredService, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import type { SlotKey } from "../store/task-table.ts";

/** What planning one service starts from. */
export interface ServiceContext {
  readonly view: View;
  readonly service: StoredService;
  readonly nowMs: number;
  /** A fresh task id at each call. */
  readonly newTaskId: () => string;
}

/** What differs from task to task when one is made. */
export interface TaskDraft {
  readonly slot: SlotKey;
  readonly revision: number;
  /** READY: prepared at once, but started only when the orchestrator raises it to RUNNING. */
  readonly desiredState: typeof TaskState.READY | typeof TaskState.RUNNING;
  readonly startAfterMs?: number;
  readonly restarts?: RestartRecord | undefined;
}

/** Makes a task of the service; the allocator, the scheduler and a worker take it from there. */
export function createTask({ service, newTaskId }: ServiceContext, draft: TaskDraft): Change {
  const { slot, revision, desiredState, startAfterMs = 0, restarts } = draft;
  const place = typeof slot === "number" ? { slot } : { slot: 0, nodeId: slot };
  const task: Task = {
    ...TaskMessage.create(),
    id: newTaskId(),
    serviceId: service.id,
    ...place,
    revision,
    desiredState,
    startAfterMs,
    restarts,
  };
  return createChange("task", task);
}

/** Asks for a later state of a task's life; no error when the task is gone by then. */
export function setDesired(task: StoredTask, desiredState: TaskState): Change {
  return updateChange("task", task.id, { desiredState }, { skipIfAbsent: true });
}
