import type { Clock } from "../../core/clock.ts";
import { errorCode, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { TaskStatus } from "../../proto/gen/objects.ts";
import type { ContainerEvent, ContainerId, Containers } from "../../runtime/container/types.ts";
import { type Step, stepTask } from "./controller.ts";
import type { TaskExecutor } from "./executor.ts";
import { observedAfter } from "./observed-container.ts";
import type { TaskEvent } from "./task-event.ts";
import { type AssignedTask, newTaskModel, type TaskEffect, type TaskModel } from "./task-model.ts";

/** Who hears of the tasks' life. Calls come in order and must not throw. */
export interface TaskListener {
  /** Wish or status changed: what must be there after a restart, and what managers want to know. */
  onTask(task: TaskModel, change: { readonly status: boolean }): void;
  /** Nothing of it is left on this node. */
  onForgotten(taskId: string): void;
}

export interface TaskLoopDeps {
  readonly executor: TaskExecutor;
  readonly containers: Containers;
  readonly listener: TaskListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Entry {
  task: TaskModel;
  /** Its key in the index by container. */
  containerId: ContainerId | undefined;
  abort: AbortController | undefined;
  cancelWake: (() => void) | undefined;
}

/**
 * The shell of all task controllers of this node. One event at a time, no order between tasks: what one waits for holds
 * up no other.
 *
 * Events queue here only between two turns of the event loop; their number is bounded by that of tasks (one effect, one
 * timer, one container each) and of the assignment changes one session may have under way.
 */
export class TaskLoop {
  readonly #deps: TaskLoopDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #taskOfContainer = new Map<ContainerId, string>();
  readonly #inbox: { readonly taskId: string; readonly event: TaskEvent }[] = [];
  readonly #stopListening: () => void;
  #closed = false;

  constructor(deps: TaskLoopDeps) {
    this.#deps = deps;
    this.#stopListening = deps.containers.onEvent((event) => {
      const taskId = this.#taskOfContainer.get(event.id);
      if (taskId === undefined || event.kind === "created") return;
      this.#post(taskId, this.#look(event));
    });
  }

  /** Takes over tasks of a former daemon. With `hold`, nothing is done for it until the managers say what they want. */
  adopt(task: TaskModel, options: { readonly hold: boolean }): void {
    const entry = newEntry(task);
    this.#entries.set(task.assignment.task.id, entry);
    this.#indexContainer(entry);
    if (!options.hold) this.#post(task.assignment.task.id, { kind: "wake" });
  }

  /** A new or changed wish for one task. */
  assign(assignment: AssignedTask): void {
    const { task } = assignment;
    if (!this.#entries.has(task.id)) {
      this.#entries.set(task.id, newEntry(newTaskModel(assignment, firstStatus(assignment))));
    }
    this.#post(task.id, { kind: "assigned", assignment });
  }

  /** Everything of the task is to go. */
  release(taskId: string): void {
    if (this.#entries.has(taskId)) this.#post(taskId, { kind: "unwanted" });
  }

  /** All tasks known, also those about to go. */
  tasks(): TaskModel[] {
    return [...this.#entries.values()].map((entry) => entry.task);
  }

  find(taskId: string): TaskModel | undefined {
    return this.#entries.get(taskId)?.task;
  }

  /** Stops deciding and calls off pulls. Containers run on. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    for (const entry of this.#entries.values()) {
      entry.cancelWake?.();
      entry.abort?.abort();
    }
  }

  #post(taskId: string, event: TaskEvent): void {
    this.#inbox.push({ taskId, event });
    if (this.#inbox.length === 1) queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    // Not taken out before it is done: what is posted meanwhile finds the inbox not empty and starts no second drain.
    for (let i = 0; i < this.#inbox.length; i++) {
      const next = this.#inbox[i];
      const entry = next === undefined ? undefined : this.#entries.get(next.taskId);
      if (next !== undefined && entry !== undefined && !this.#closed) this.#step(entry, next.event);
    }
    this.#inbox.length = 0;
  }

  #step(entry: Entry, event: TaskEvent): void {
    const before = entry.task;
    const step = stepTask(before, event, this.#deps.clock.nowMs());
    entry.task = step.task;
    this.#indexContainer(entry);
    this.#tell(before, step.task);
    if (step.cancel) entry.abort?.abort();
    if (step.effect !== undefined) this.#run(entry, step.effect);
    this.#setWake(entry, step);
    if (step.forget) this.#forget(entry);
  }

  #tell(before: TaskModel, after: TaskModel): void {
    const status = before.status !== after.status;
    if (status) this.#logStatus(after.assignment, after.status);
    if (status || before.assignment !== after.assignment) {
      this.#deps.listener.onTask(after, { status });
    }
  }

  #logStatus({ task }: AssignedTask, status: TaskStatus): void {
    const fields = { taskId: task.id, state: status.state, err: status.err };
    this.#deps.log.info(`task ${status.message}`, fields);
  }

  #run(entry: Entry, effect: TaskEffect): void {
    const taskId = entry.task.assignment.task.id;
    const abort = new AbortController();
    entry.abort = abort;
    this.#deps.executor.run(effect, entry.task, abort.signal).then(
      (result) => this.#post(taskId, { kind: "done", result }),
      (error: unknown) => {
        const jitter = this.#deps.random.next();
        const failure = { effect: effect.kind, code: errorCode(error), jitter };
        this.#post(taskId, {
          kind: "failed",
          failure: { ...failure, message: errorMessage(error) },
        });
      },
    );
  }

  #setWake(entry: Entry, step: Step): void {
    entry.cancelWake?.();
    entry.cancelWake = undefined;
    if (step.wakeAtMs === undefined) return;
    const { clock } = this.#deps;
    const taskId = step.task.assignment.task.id;
    const delayMs = Math.max(step.wakeAtMs - clock.nowMs(), 1);
    entry.cancelWake = clock.after(Math.min(delayMs, WAKE_MAX_MS), () =>
      this.#post(taskId, { kind: "wake" }),
    );
  }

  #indexContainer(entry: Entry): void {
    const { container, assignment } = entry.task;
    if (container === undefined || container.id === entry.containerId) return;
    entry.containerId = container.id;
    this.#taskOfContainer.set(container.id, assignment.task.id);
  }

  #forget(entry: Entry): void {
    const { id } = entry.task.assignment.task;
    entry.cancelWake?.();
    this.#entries.delete(id);
    if (entry.containerId !== undefined) this.#taskOfContainer.delete(entry.containerId);
    this.#deps.listener.onForgotten(id);
  }

  #look(event: ContainerEvent): TaskEvent {
    if (event.kind === "removed") return { kind: "containerGone" };
    try {
      const container = this.#deps.containers.get(event.id);
      return { kind: "container", container: observedAfter(container, event) };
    } catch (error) {
      if (errorCode(error) === "NotFound") return { kind: "containerGone" };
      throw error;
    }
  }
}

/** A timer's longest delay: the wall clock may be set, and setTimeout takes 31 bits. */
const WAKE_MAX_MS = 60_000;

function newEntry(task: TaskModel): Entry {
  return { task, containerId: undefined, abort: undefined, cancelWake: undefined };
}

/** What the managers last heard of it: a task whose files were lost here must not live a second time. */
function firstStatus({ task }: AssignedTask): TaskStatus {
  return task.status ?? { state: 0, timestampMs: 0, message: "", err: "", container: undefined };
}
