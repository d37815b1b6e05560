import type { Message } from "../../../raft-ts/types.ts";

/** Messages waiting for one peer at most. */
export const OUTBOX_MESSAGES_MAX = 4096;
/** Bytes of their entries at most: as much as raft-ts has under way to one peer, and a full entry more. */
export const OUTBOX_BYTES_MAX = 20 * 1024 * 1024;

/** What waits to be sent to one peer. Raft repeats what is lost, so past a bound the oldest goes. */
export class Outbox {
  #messages: Message[] = [];
  #bytes = 0;

  /** Returns whether older messages were dropped. */
  push(message: Message): boolean {
    this.#messages.push(message);
    this.#bytes += entryBytes(message);
    let hasDropped = false;
    while (this.#messages.length > OUTBOX_MESSAGES_MAX || this.#bytes > OUTBOX_BYTES_MAX) {
      if (this.#messages.length === 1) break;
      this.shift();
      hasDropped = true;
    }
    return hasDropped;
  }

  /** Takes the oldest. */
  shift(): Message | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#bytes -= entryBytes(message);
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}

function entryBytes(message: Message): number {
  if (message.kind !== "append") return 0;
  return message.entries.reduce((sum, entry) => sum + entry.data.length, 0);
}
