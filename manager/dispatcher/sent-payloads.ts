import type { AssignmentChange } from "../../proto/gen/dispatcher.ts";
import type { TaskSpec } from "../../proto/gen/objects.ts";
import { PAYLOAD_PIECE_BYTES } from "../../proto/limits.ts";
import { payloadsOf } from "../store/references.ts";
import type { View } from "../store/tables.ts";

type Change = NonNullable<AssignmentChange["kind"]>;

/** Which configs and secrets one worker was sent in this session: those that its tasks read, and no other. */
export class SentPayloads {
  /** By task, what it reads. */
  readonly #read = new Map<string, readonly string[]>();
  /** How many of these tasks read it. */
  readonly #readers = new Map<string, number>();

  /** A task that is to run: what it reads and the worker has not. What was removed meanwhile is left out. */
  need(view: View, taskId: string, spec: TaskSpec): Change[] {
    if (this.#read.has(taskId)) return [];
    const changes: Change[] = [];
    const ids: string[] = [];
    for (const kind of ["config", "secret"] as const) {
      const table = kind === "config" ? view.configs : view.secrets;
      for (const { id } of payloadsOf(kind, spec)) {
        const readers = this.#readers.get(id) ?? 0;
        this.#readers.set(id, readers + 1);
        ids.push(id);
        if (readers === 0) changes.push(...pieces(id, table.get(id)?.data));
      }
    }
    if (ids.length > 0) this.#read.set(taskId, ids);
    return changes;
  }

  /** The task will not run any more: what nobody reads now is taken back. */
  drop(taskId: string): Change[] {
    const changes: Change[] = [];
    for (const id of this.#read.get(taskId) ?? []) {
      const readers = (this.#readers.get(id) ?? 1) - 1;
      if (readers > 0) {
        this.#readers.set(id, readers);
        continue;
      }
      this.#readers.delete(id);
      changes.push({ $case: "removePayloadId", value: id });
    }
    this.#read.delete(taskId);
    return changes;
  }
}

/** Views on the stored data, not copies. */
function pieces(id: string, data: Buffer | undefined): Change[] {
  if (data === undefined) return [];
  const changes: Change[] = [];
  for (let offset = 0; offset < data.length; offset += PAYLOAD_PIECE_BYTES) {
    const piece = data.subarray(offset, offset + PAYLOAD_PIECE_BYTES);
    const value = { id, totalBytes: data.length, offset, data: piece };
    changes.push({ $case: "putPayload", value });
  }
  return changes;
}
