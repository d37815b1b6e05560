import type { StateMachine } from "../../../manager/log/replicated-log.ts";

/** The simplest state machine that shows order, loss and duplication: it keeps every entry as text. */
export class ListState implements StateMachine {
  entries: string[] = [];
  #applying = false;

  apply(index: number, data: Uint8Array): unknown {
    if (this.#applying) throw new Error("calls of a state machine must not overlap");
    this.#applying = true;
    const text = Buffer.from(data).toString();
    this.entries.push(text);
    this.#applying = false;
    return { index, text };
  }

  *snapshot(): Iterable<Uint8Array> {
    for (const entry of this.entries) yield Buffer.from(entry);
  }

  restore(_index: number, parts: Iterable<Uint8Array>): void {
    this.entries = Array.from(parts, (part) => Buffer.from(part).toString());
  }
}
