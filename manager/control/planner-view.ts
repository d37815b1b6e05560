import type { ReplicatedLog } from "../log/replicated-log.ts";
import type { View } from "../store/tables.ts";

/**
 * The state that changes are planned on: complete while this manager leads, without a question to the others.
 *
 * A leader that once caught up in its term has applied everything acknowledged since, for it acknowledges itself. If it
 * leads no more and does not know it, what is planned here is never committed: an entry of its term can follow none
 * of the next. Only a refusal would be an answer from the past, so before it is given the others are asked after all.
 */
export class PlannerView {
  readonly #log: Pick<ReplicatedLog, "readBarrier" | "leadership">;
  readonly #view: () => View;
  #caughtUpTerm: number | undefined;

  constructor(log: Pick<ReplicatedLog, "readBarrier" | "leadership">, view: () => View) {
    this.#log = log;
    this.#view = view;
  }

  /**
   * What `plan` makes of the state; its changes are to be proposed next, without an `await` between.
   *
   * @throws {ClusterError} `plan`'s refusal, of a state that is fresh; `Unavailable` when this manager does not lead.
   */
  async plan<T>(plan: (view: View) => T): Promise<T> {
    const { isLeader, term } = this.#log.leadership();
    if (!isLeader || term !== this.#caughtUpTerm) return this.#planFresh(plan);
    try {
      return plan(this.#view());
    } catch {
      return this.#planFresh(plan);
    }
  }

  async #planFresh<T>(plan: (view: View) => T): Promise<T> {
    const { term } = this.#log.leadership();
    await this.#log.readBarrier();
    // The barrier answers leaders only; if it answered in the term it was asked in, that one has caught up.
    const now = this.#log.leadership();
    if (now.isLeader && now.term === term) this.#caughtUpTerm = term;
    return plan(this.#view());
  }
}
