import { ClusterError } from "../../core/errors.ts";
import type { AssignmentChange, Assignments, TaskAssignment } from "../../proto/gen/dispatcher.ts";
import type { ServiceRevision } from "../../proto/gen/objects.ts";
import { taskFiles } from "../tasks/task-files.ts";
import type { AssignedTask } from "../tasks/task-model.ts";
import { PayloadBook } from "./payload-book.ts";

/** What one message changed in what this node is to run. */
export interface AssignmentNews {
  readonly assigned: readonly AssignedTask[];
  readonly removedTaskIds: readonly string[];
  /** Set once, when the complete set is in: the ids of all its tasks. Whatever else runs here must not. */
  readonly completeTaskIds: ReadonlySet<string> | undefined;
}

/** Puts together the assignments of one session from their messages. */
export class AssignmentSet {
  readonly #revisions = new Map<string, ServiceRevision>();
  readonly #payloads = new PayloadBook();
  readonly #taskIds = new Set<string>();
  #sequence = 0;
  #complete = false;

  /**
   * Takes in the next message.
   *
   * @throws {ClusterError} `DataLoss` when one is missing or contradicts those before: the session must start over.
   */
  apply(message: Assignments): AssignmentNews {
    if (message.sequence !== this.#sequence + 1) {
      throw broken(`message ${message.sequence} follows ${this.#sequence}`);
    }
    if (message.complete === this.#complete) throw broken("the complete set must come once, first");
    this.#sequence = message.sequence;

    const assigned: AssignedTask[] = [];
    const removedTaskIds: string[] = [];
    for (const { kind } of message.changes) this.#change(kind, assigned, removedTaskIds);
    this.#complete ||= message.last;
    const wasLastPart = message.complete && message.last;
    return {
      assigned,
      removedTaskIds,
      completeTaskIds: wasLastPart ? new Set(this.#taskIds) : undefined,
    };
  }

  #change(
    kind: AssignmentChange["kind"],
    assigned: AssignedTask[],
    removedTaskIds: string[],
  ): void {
    switch (kind?.$case) {
      case "putRevision":
        this.#revisions.set(key(kind.value), kind.value);
        break;
      case "removeRevision":
        this.#revisions.delete(key(kind.value));
        break;
      case "putTask":
        assigned.push(this.#resolve(kind.value));
        break;
      case "removeTaskId":
        this.#taskIds.delete(kind.value);
        removedTaskIds.push(kind.value);
        break;
      case "putPayload":
        this.#payloads.put(kind.value);
        break;
      case "removePayloadId":
        this.#payloads.remove(kind.value);
        break;
      case undefined:
        throw broken("a change of an unknown kind");
    }
  }

  #resolve({ task, serviceName }: TaskAssignment): AssignedTask {
    if (task === undefined) throw broken("an assignment without a task");
    const revision = this.#revisions.get(key(task));
    if (revision?.task === undefined) throw broken(`the spec of task ${task.id} did not come`);
    this.#taskIds.add(task.id);
    const files = taskFiles(revision.task, (id) => this.#payloads.find(id));
    return { task, serviceName, revision, spec: revision.task, files };
  }
}

function key({ serviceId, revision }: { serviceId: string; revision: number }): string {
  return `${serviceId}/${revision}`;
}

function broken(what: string): ClusterError {
  return new ClusterError("DataLoss", `cannot follow the assignments: ${what}`);
}
