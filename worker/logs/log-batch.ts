import type { LogMessage } from "../../proto/gen/control.ts";
import type { LogEnd } from "../../proto/gen/dispatcher.ts";

/** A batch this big goes at once. */
export const BATCH_BYTES_MAX = 64 * 1024;
/** Lines in one batch; short lines must not make a message of a million. */
export const BATCH_MESSAGES_MAX = 512;

/** Log messages on their way: collected while the last batch is being sent, never more than one batch. */
export class LogBatch {
  #messages: LogMessage[] = [];
  #ended: LogEnd[] = [];
  #bytes = 0;

  add(message: LogMessage): void {
    this.#messages.push(message);
    this.#bytes += message.data.byteLength;
  }

  end(end: LogEnd): void {
    this.#ended.push(end);
  }

  /** Whether the sources must wait until it is sent. */
  get full(): boolean {
    return this.#bytes >= BATCH_BYTES_MAX || this.#messages.length >= BATCH_MESSAGES_MAX;
  }

  get empty(): boolean {
    return this.#messages.length === 0 && this.#ended.length === 0;
  }

  /** Empties it. */
  take(): { readonly messages: LogMessage[]; readonly ended: LogEnd[] } {
    const taken = { messages: this.#messages, ended: this.#ended };
    this.#messages = [];
    this.#ended = [];
    this.#bytes = 0;
    return taken;
  }
}
