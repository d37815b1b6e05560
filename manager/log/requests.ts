import type { ConfChange } from "../../raft-ts/types.ts";
import type { DriverInput, Inbox } from "./inbox.ts";
import { checkQueueRoom, logClosed } from "./proposal-errors.ts";
import { PendingProposals, PendingReads, type Waiter } from "./waiting.ts";

/** What callers ask of the driver, and who waits for which answer. */
export class Requests {
  readonly proposals = new PendingProposals();
  readonly reads = new PendingReads();
  readonly #inbox: Inbox;
  #isClosed = false;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
  }

  /** Resolves with the result of applying `data`. @throws {ClusterError} as `ReplicatedLog.propose`. */
  propose(data: Uint8Array): Promise<unknown> {
    return this.#ask("propose", (waiter) => {
      const { count, bytes } = this.#inbox.proposals;
      const pending = this.proposals;
      checkQueueRoom(count + pending.count + 1, bytes + pending.bytes + data.length);
      return { kind: "propose", data, waiter };
    });
  }

  /** Resolves once the change is in effect here. @throws {ClusterError} as `ReplicatedLog.addMember`. */
  async change(change: ConfChange): Promise<void> {
    await this.#ask<unknown>("change the managers", (waiter) => ({
      kind: "change",
      change,
      waiter,
    }));
  }

  /** Resolves once everything committed before the call is applied here. */
  read(): Promise<void> {
    return this.#ask("read", (waiter) => ({ kind: "read", waiter }));
  }

  /** Resolves once the node has begun to hand leadership to `to`. */
  transfer(to: number): Promise<void> {
    return this.#ask("hand over leadership", (waiter) => ({ kind: "transfer", to, waiter }));
  }

  /** Rejects all who wait, and all who come. */
  close(): void {
    this.#isClosed = true;
    for (const input of this.#inbox.takeAll()) {
      if ("waiter" in input) input.waiter.reject(logClosed(input.kind));
    }
    this.proposals.rejectOthers(undefined);
    this.reads.rejectAll(() => logClosed("read"));
  }

  #ask<T>(action: string, input: (waiter: Waiter<T>) => DriverInput): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw logClosed(action);
      this.#inbox.push(input({ resolve, reject }));
    });
  }
}
