import type { ConfChange, Message } from "../../raft-ts/types.ts";
import type { LoadedSnapshot } from "./snapshot/snapshot-store.ts";
import type { Waiter } from "./waiting.ts";

/** Messages waiting for the next step at most; later ones are dropped, as a network may. */
export const INBOX_MAX = 65_536;

/** One event of the driver's life. */
export type DriverInput =
  | { readonly kind: "tick" }
  | { readonly kind: "message"; readonly message: Message; readonly loaded?: LoadedSnapshot }
  | { readonly kind: "propose"; readonly data: Uint8Array; readonly waiter: Waiter<unknown> }
  | { readonly kind: "change"; readonly change: ConfChange; readonly waiter: Waiter<unknown> }
  | { readonly kind: "read"; readonly waiter: Waiter<void> }
  | { readonly kind: "transfer"; readonly to: number; readonly waiter: Waiter<void> }
  | { readonly kind: "campaign" }
  | { readonly kind: "stable"; readonly readyId: number }
  | { readonly kind: "unreachable"; readonly raftId: number }
  | { readonly kind: "snapshotSent"; readonly raftId: number; readonly ok: boolean }
  | { readonly kind: "snapshotSaved" };

/** What each kind of event does: one without does not compile. */
export type InputHandlers = {
  readonly [Kind in DriverInput["kind"]]: (
    input: Extract<DriverInput, { readonly kind: Kind }>,
  ) => void;
};

/** Has something done from a fresh stack, soon. */
export type Schedule = (work: () => void) => void;

/** Events in order of arrival, given to `work` from a fresh stack, many at once when they came at once. */
export class Inbox {
  readonly #work: () => void;
  readonly #schedule: Schedule;
  #inputs: DriverInput[] = [];
  #isScheduled = false;
  #proposals = 0;
  #proposalBytes = 0;

  constructor(work: () => void, schedule: Schedule) {
    this.#work = work;
    this.#schedule = schedule;
  }

  /** Proposals waiting to be stepped, and their bytes. */
  get proposals(): { readonly count: number; readonly bytes: number } {
    return { count: this.#proposals, bytes: this.#proposalBytes };
  }

  /** Past INBOX_MAX what a network may lose is lost. */
  push(input: DriverInput): void {
    if (input.kind === "message" && this.#inputs.length >= INBOX_MAX) return;
    if (input.kind === "propose") {
      this.#proposals++;
      this.#proposalBytes += input.data.length;
    }
    this.#inputs.push(input);
    this.schedule();
  }

  /** All that waits; the inbox is empty then. */
  takeAll(): readonly DriverInput[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    this.#proposals = 0;
    this.#proposalBytes = 0;
    return inputs;
  }

  /** Has `work` called soon, even without an event. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }
}
