import type { LogMessage } from "../../proto/gen/control.ts";
import type { LogEnd } from "../../proto/gen/dispatcher.ts";

/** A batch this big goes at once. */
export const BATCH_BYTES_MAX = 64 * 1024;
/** Lines in one batch; short lines must not make a message of a million. */
export const BATCH_MESSAGES_MAX = 512;

/** Ends of tasks in one batch. */
export const BATCH_ENDS_MAX = 500;
/** Characters of why a task's log ended early. */
const ERR_CHARS_MAX = 256;

/** Log messages on their way: collected while the last batch is being sent, never more than one batch. */
export class LogBatch {
  #messages: LogMessage[] = [];
  readonly #ended: LogEnd[] = [];
  #bytes = 0;

  add(message: LogMessage): void {
    this.#messages.push(message);
    this.#bytes += message.data.byteLength;
  }

  end({ taskId, err }: LogEnd): void {
    this.#ended.push({ taskId, err: err.slice(0, ERR_CHARS_MAX) });
  }

  /** Whether the sources must wait until it is sent. */
  get full(): boolean {
    return this.#bytes >= BATCH_BYTES_MAX || this.#messages.length >= BATCH_MESSAGES_MAX;
  }

  get empty(): boolean {
    return this.#messages.length === 0 && this.#ended.length === 0;
  }

  /** Takes all messages, and as many ends as go into one batch. */
  take(): { readonly messages: LogMessage[]; readonly ended: LogEnd[] } {
    const taken = { messages: this.#messages, ended: this.#ended.splice(0, BATCH_ENDS_MAX) };
    this.#messages = [];
    this.#bytes = 0;
    return taken;
  }
}
