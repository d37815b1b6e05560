import { AssignmentChange, type Assignments } from "../../proto/gen/dispatcher.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import type { StoredTask } from "../store/objects.ts";
import { revisionKey } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { chunks } from "./chunks.ts";

type Change = NonNullable<AssignmentChange["kind"]>;

/** What one worker was told to run in this session, and from it what it must be told next. */
export class SentAssignments {
  readonly #nodeId: string;
  /** As sent, with the desired state the worker was given. */
  readonly #tasks = new Map<string, StoredTask>();
  /** How many of these tasks name a revision the worker has; it is kept there while one does. */
  readonly #revisions = new Map<string, number>();
  readonly #dirty = new Set<string>();
  #sequence = 0;
  #complete = false;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** Something about the task may have to be told. */
  mark(taskId: string): void {
    this.#dirty.add(taskId);
  }

  /**
   * The messages that bring the worker up to date: first the complete set, later what was marked.
   *
   * @param held tasks whose stop waits for the endpoint tables (D5): the worker is to keep them running.
   */
  take(view: View, held: (taskId: string) => boolean): Assignments[] {
    if (this.#complete) return this.#messages(this.#changes(view, this.#dirty, held), false);
    const all = [...view.tasks.ofNode(this.#nodeId)].map((task) => task.id);
    const messages = this.#messages(this.#changes(view, all, held), true);
    this.#complete = true;
    return messages;
  }

  #changes(view: View, taskIds: Iterable<string>, held: (taskId: string) => boolean): Change[] {
    const changes: Change[] = [];
    for (const taskId of taskIds) changes.push(...this.#change(view, taskId, held(taskId)));
    this.#dirty.clear();
    return changes;
  }

  #change(view: View, taskId: string, held: boolean): Change[] {
    const stored = view.tasks.get(taskId);
    const before = this.#tasks.get(taskId);
    if (stored === undefined || !isAssigned(stored, this.#nodeId)) {
      return before === undefined ? [] : this.#remove(before);
    }
    const task = held ? { ...stored, desiredState: TaskState.RUNNING } : stored;
    if (before !== undefined && sameWish(before, task)) return [];
    const serviceName = view.services.get(task.serviceId)?.spec.name ?? "";
    const revision = before === undefined ? this.#addRevision(view, task) : [];
    // A task whose spec is gone cannot be run; the orchestrator never forgets one that is named.
    if (revision === undefined) return [];
    this.#tasks.set(taskId, task);
    return [...revision, { $case: "putTask", value: { task, serviceName } }];
  }

  #addRevision(view: View, { serviceId, revision }: StoredTask): Change[] | undefined {
    const key = revisionKey(serviceId, revision);
    const users = this.#revisions.get(key) ?? 0;
    const stored = view.revisions.find(serviceId, revision);
    if (users === 0 && stored === undefined) return undefined;
    this.#revisions.set(key, users + 1);
    return users > 0 || stored === undefined ? [] : [{ $case: "putRevision", value: stored }];
  }

  #remove({ id, serviceId, revision }: StoredTask): Change[] {
    this.#tasks.delete(id);
    const changes: Change[] = [{ $case: "removeTaskId", value: id }];
    const key = revisionKey(serviceId, revision);
    const users = (this.#revisions.get(key) ?? 1) - 1;
    if (users > 0) {
      this.#revisions.set(key, users);
      return changes;
    }
    this.#revisions.delete(key);
    changes.push({ $case: "removeRevision", value: { serviceId, revision } });
    return changes;
  }

  #messages(changes: readonly Change[], complete: boolean): Assignments[] {
    const wrapped = changes.map((kind): AssignmentChange => ({ kind }));
    const parts = chunks(wrapped, (change) => AssignmentChange.encode(change).finish().byteLength);
    // An empty set is a set: it must be said.
    if (complete && parts.length === 0) parts.push([]);
    return parts.map((part, i) => ({
      sequence: ++this.#sequence,
      complete,
      last: i === parts.length - 1,
      changes: part,
    }));
  }
}

/** Whether a task is its node's business: placed, accepted by the scheduler, and not forgotten yet. */
function isAssigned(task: StoredTask, nodeId: string): boolean {
  return task.nodeId === nodeId && task.status.state >= TaskState.ASSIGNED;
}

/** Whether a worker told `a` knows all of `b`; what it observed itself it need not be told. */
function sameWish(a: StoredTask, b: StoredTask): boolean {
  return a.desiredState === b.desiredState && a.networks === b.networks;
}
