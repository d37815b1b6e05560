import type { StatusUpdate } from "../../proto/gen/dispatcher.ts";
import type { TaskStatus } from "../../proto/gen/objects.ts";
import { STATUS_BATCH_MAX } from "../../proto/limits.ts";

/**
 * What managers have not confirmed yet: the newest status of each task, however often it changed.
 *
 * One update is under way at a time; the next carries whatever came meanwhile, so batches grow with the load by
 * themselves. Bounded by the number of tasks of the node.
 */
export class Reporter {
  readonly #pending = new Map<string, TaskStatus>();
  #underWay: StatusUpdate | undefined;
  #sequence = 0;

  /** A task's status changed. */
  put(taskId: string, status: TaskStatus): void {
    this.#pending.set(taskId, status);
  }

  /** A session began: everything the node knows is told, what the last one left unconfirmed included. */
  begin(known: Iterable<readonly [string, TaskStatus]>): void {
    this.#underWay = undefined;
    this.#sequence = 0;
    this.#pending.clear();
    for (const [taskId, status] of known) this.#pending.set(taskId, status);
  }

  /** What to send now; undefined while an update is under way and when there is nothing to say. */
  next(): StatusUpdate | undefined {
    if (this.#underWay !== undefined || this.#pending.size === 0) return undefined;
    const statuses: StatusUpdate["statuses"] = [];
    for (const [taskId, status] of this.#pending) {
      if (statuses.length === STATUS_BATCH_MAX) break;
      this.#pending.delete(taskId);
      statuses.push({ taskId, status });
    }
    this.#underWay = { sequence: ++this.#sequence, statuses };
    return this.#underWay;
  }

  /** The managers have it in their log. */
  acknowledge(sequence: number): void {
    if (this.#underWay?.sequence === sequence) this.#underWay = undefined;
  }
}
