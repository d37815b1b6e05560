import type { Clock } from "../core/clock.ts";
import { ClusterError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Leadership, ReplicatedLog } from "./log/replicated-log.ts";

/** Wait between two tries to catch up: a fraction of an election, so that a leader does not idle for long. */
export const CATCH_UP_RETRY_MS = 200;

/** What a term of office is made of. */
export interface TermOfOfficeParts {
  readonly replicatedLog: Pick<ReplicatedLog, "readBarrier" | "leadership" | "onLeadership">;
  /** This manager leads and has applied all that is committed. */
  readonly onBegin: (term: number) => void;
  /** It leads no more; called once for each `onBegin`. */
  readonly onEnd: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** In a term of ours we first catch up, however many tries that takes, and then lead. */
type State =
  | { readonly kind: "following" }
  | { readonly kind: "catchingUp"; readonly term: number }
  | { readonly kind: "leading"; readonly term: number };

const FOLLOWING: State = { kind: "following" };

/**
 * Turns the log's leadership into terms of office, from its making to `close`.
 *
 * Whoever leads decides from the newest state: a term begins once everything committed is applied here. As long as the
 * log says that we lead, a try that failed is followed by another: else the swarm would have a leader that plans nothing.
 */
export class TermOfOffice {
  readonly #parts: TermOfOfficeParts;
  readonly #stopListening: () => void;
  #state: State = FOLLOWING;
  #cancelRetry: () => void = () => undefined;

  constructor(parts: TermOfOfficeParts) {
    const { replicatedLog } = parts;
    this.#parts = parts;
    this.#stopListening = replicatedLog.onLeadership((leadership) => this.#turn(leadership));
    this.#turn(replicatedLog.leadership());
  }

  /** Ends the term there is; none begins after it. */
  close(): void {
    this.#stopListening();
    this.#end();
  }

  #turn({ isLeader, term }: Leadership): void {
    if (isLeader && this.#state.kind !== "following" && this.#state.term === term) return;
    this.#end();
    if (!isLeader) return;
    this.#state = { kind: "catchingUp", term };
    void this.#catchUp(term);
  }

  async #catchUp(term: number): Promise<void> {
    const { replicatedLog, onBegin, clock, log } = this.#parts;
    try {
      await replicatedLog.readBarrier();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (!this.#isCatchingUp(term)) return;
      log.warn("this manager leads but cannot catch up yet", { term, error: error.message });
      this.#cancelRetry = clock.after(CATCH_UP_RETRY_MS, () => void this.#catchUp(term));
      return;
    }
    if (!this.#isCatchingUp(term)) return;
    this.#state = { kind: "leading", term };
    onBegin(term);
  }

  /** Asks the log too: that leadership was lost may be known there and not have been told here. */
  #isCatchingUp(term: number): boolean {
    const { isLeader, term: current } = this.#parts.replicatedLog.leadership();
    const isOurs = isLeader && current === term;
    return isOurs && this.#state.kind === "catchingUp" && this.#state.term === term;
  }

  #end(): void {
    this.#cancelRetry();
    const wasLeading = this.#state.kind === "leading";
    this.#state = FOLLOWING;
    if (wasLeading) this.#parts.onEnd();
  }
}
