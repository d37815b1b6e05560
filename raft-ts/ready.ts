import { assert } from "./assert.ts";
import type { Raft } from "./raft.ts";
import type { HardState, Message, Ready } from "./types.ts";

/** Turns what happened to a {@link Raft} since the last time into what its shell must do. */
export class ReadyAssembler {
  readonly #raft: Raft;
  /** As last given to be written. */
  #hardState: HardState;
  #lastId = 0;
  /** The last Ready that owes a flush: promises made after it rest on it. */
  #lastSyncId = 0;
  #stableId = 0;

  constructor(raft: Raft, stored: HardState) {
    this.#raft = raft;
    this.#hardState = stored;
  }

  /** @returns undefined when there is nothing to do. */
  take(): Ready | undefined {
    const { log, outbox, limits } = this.#raft;
    const id = this.#lastId + 1;
    const { snapshot, entries } = log.takeUnsaved();
    const committed = log.takeCommitted(limits.committedBytesMax);
    const changesConf = committed.some((entry) => entry.kind === "confChange");
    const hardState = this.#takeHardState(changesConf);
    const mustSync = snapshot !== undefined || entries.length > 0 || hardState?.isUrgent === true;

    if (mustSync) this.#lastSyncId = id;
    if (entries.length > 0) this.#acknowledgeOwn();
    outbox.writesGiven(this.#lastSyncId);
    // What it promises itself always rests on a write of this Ready, so none of it can be kept yet.
    assert(this.#releaseKept().length === 0, "the node's own promise was kept before its write");

    const messages = outbox.takeFree();
    const { reads, lostReads } = this.#raft;
    const isNothing =
      !mustSync && hardState === undefined && messages.length + committed.length === 0;
    if (isNothing && reads.length + lostReads.length === 0) return undefined;

    this.#raft.reads = [];
    this.#raft.lostReads = [];
    this.#lastId = id;
    return {
      id,
      hardState: hardState?.state,
      entries,
      snapshot,
      mustSync,
      messages,
      committed,
      reads,
      lostReads,
    };
  }

  /** @returns the node's promises to itself that are now kept; those to others go out with the next Ready. */
  stabledTo(id: number): Message[] {
    assert(id <= this.#lastId, `Ready ${id} was never given out; the last is ${this.#lastId}`);
    this.#stableId = Math.max(this.#stableId, id);
    return this.#releaseKept();
  }

  #releaseKept(): Message[] {
    const { id, outbox } = this.#raft;
    const own: Message[] = [];
    for (const message of outbox.takeKept(this.#stableId)) {
      if (message.to === id) own.push(message);
      else outbox.release(message);
    }
    return own;
  }

  /** A leader counts its own disk like any other: when it answers. */
  #acknowledgeOwn(): void {
    const { role, id, log } = this.#raft;
    if (role.name !== "leader") return;
    const { index } = log.last;
    this.#raft.send({
      kind: "appendReply",
      from: id,
      to: id,
      term: this.#raft.term,
      accepted: true,
      index,
      hintIndex: 0,
      hintTerm: 0,
    });
  }

  /**
   * Urgent when it is a promise, or says that a membership change is committed: a member that forgot it in a crash would
   * wait for the votes of those who were removed and are gone.
   */
  #takeHardState(
    changesConf: boolean,
  ): { readonly state: HardState; readonly isUrgent: boolean } | undefined {
    const before = this.#hardState;
    const state = this.#raft.hardState;
    const isPromise = state.term !== before.term || state.vote !== before.vote;
    const isUrgent = isPromise || changesConf;
    if (!isUrgent && state.commit === before.commit) return undefined;
    this.#hardState = state;
    return { state, isUrgent };
  }
}
