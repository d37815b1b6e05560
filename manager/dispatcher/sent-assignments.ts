import { AssignmentChange, type Assignments } from "../../proto/gen/dispatcher.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { CHUNK_BYTES_MAX } from "../../proto/limits.ts";
import type { StoredRevision, StoredTask } from "../store/objects.ts";
import { revisionKey } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { SentPayloads } from "./sent-payloads.ts";

type Change = NonNullable<AssignmentChange["kind"]>;

/** Whether the stop of a task waits for the endpoint tables (D5): the worker is to keep it running. */
export type Held = (taskId: string) => boolean;

/**
 * What one worker was told to run in this session, and from it what it must be told next, message by message: however
 * much that is, only as much is worked out as the wire takes.
 */
export class SentAssignments {
  readonly #nodeId: string;
  /** As sent, with the desired state the worker was given. */
  readonly #tasks = new Map<string, StoredTask>();
  /** How many of these tasks name a revision the worker has; it is kept there while one does. */
  readonly #revisions = new Map<string, number>();
  readonly #payloads = new SentPayloads();
  /** Undefined before the first message: then it is all tasks of the node. */
  #dirty: Set<string> | undefined;
  /** Worked out for one task and not sent yet. */
  #queue: Change[] = [];
  #sequence = 0;
  #complete = false;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** Something about the task may have to be told. */
  mark(taskId: string): void {
    this.#dirty?.add(taskId);
  }

  /**
   * The next message that brings the worker up to date: first the parts of the complete set, later what was marked.
   *
   * @returns undefined when it is up to date.
   */
  next(view: View, held: Held): Assignments | undefined {
    this.#dirty ??= new Set([...view.tasks.ofNode(this.#nodeId)].map((task) => task.id));
    const changes = this.#take(view, this.#dirty, held);
    // An empty set is a set: it must be said.
    if (changes.length === 0 && this.#complete) return undefined;
    const complete = !this.#complete;
    const last = this.#queue.length === 0 && this.#dirty.size === 0;
    this.#complete ||= last;
    return { sequence: ++this.#sequence, complete, last, changes };
  }

  /** As many changes as a message holds; one that is larger is alone. */
  #take(view: View, dirty: Set<string>, held: Held): AssignmentChange[] {
    const changes: AssignmentChange[] = [];
    let bytes = 0;
    for (;;) {
      const kind = this.#peek(view, dirty, held);
      if (kind === undefined) return changes;
      const size = sizeOf(kind);
      if (changes.length > 0 && bytes + size > CHUNK_BYTES_MAX) return changes;
      changes.push({ kind });
      bytes += size;
      this.#queue.shift();
    }
  }

  #peek(view: View, dirty: Set<string>, held: Held): Change | undefined {
    for (const taskId of dirty) {
      if (this.#queue.length > 0) break;
      dirty.delete(taskId);
      this.#queue = this.#change(view, taskId, held(taskId));
    }
    return this.#queue[0];
  }

  #change(view: View, taskId: string, held: boolean): Change[] {
    const stored = view.tasks.get(taskId);
    const before = this.#tasks.get(taskId);
    if (stored === undefined || !isAssigned(stored, this.#nodeId)) {
      return before === undefined ? [] : this.#remove(before);
    }
    const ended = stored.status.state > TaskState.RUNNING;
    const dropped = ended ? this.#payloads.drop(taskId) : [];
    const task = held ? { ...stored, desiredState: TaskState.RUNNING } : stored;
    if (before !== undefined && sameWish(before, task)) return dropped;
    const revision = view.revisions.find(task.serviceId, task.revision);
    // A task whose spec is gone cannot be run; the orchestrator never forgets one that is named.
    if (before === undefined && revision === undefined) return dropped;
    const serviceName = view.services.get(task.serviceId)?.spec.name ?? "";
    const spec = before === undefined ? this.#addRevision(task, revision) : [];
    const payloads =
      ended || revision === undefined ? [] : this.#payloads.need(view, taskId, revision.task);
    this.#tasks.set(taskId, task);
    const put: Change = { $case: "putTask", value: { task, serviceName } };
    return [...dropped, ...spec, ...payloads, put];
  }

  #addRevision(task: StoredTask, stored: StoredRevision | undefined): Change[] {
    const key = revisionKey(task.serviceId, task.revision);
    const users = this.#revisions.get(key) ?? 0;
    this.#revisions.set(key, users + 1);
    return users > 0 || stored === undefined ? [] : [{ $case: "putRevision", value: stored }];
  }

  #remove({ id, serviceId, revision }: StoredTask): Change[] {
    this.#tasks.delete(id);
    const changes: Change[] = [{ $case: "removeTaskId", value: id }, ...this.#payloads.drop(id)];
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
}

/** Of the encoded change, or a little more. */
function sizeOf(kind: Change): number {
  if (kind.$case === "putPayload") return kind.value.data.length + PIECE_HEAD_BYTES;
  return AssignmentChange.encode({ kind }).finish().byteLength + FIELD_HEAD_BYTES;
}

/** Tag and length of one change in its message. */
const FIELD_HEAD_BYTES = 8;
/** What a piece has beside its data: an id of 25 characters and two numbers. */
const PIECE_HEAD_BYTES = 64;

/** Whether a task is its node's business: placed, accepted by the scheduler, and not forgotten yet. */
function isAssigned(task: StoredTask, nodeId: string): boolean {
  return task.nodeId === nodeId && task.status.state >= TaskState.ASSIGNED;
}

/** Whether a worker told `a` knows all of `b`; what it observed itself it need not be told. */
function sameWish(a: StoredTask, b: StoredTask): boolean {
  return a.desiredState === b.desiredState && a.networks === b.networks;
}
