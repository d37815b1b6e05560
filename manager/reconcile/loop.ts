import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Proposer } from "../store/proposer.ts";
import type { Store } from "../store/store.ts";
import type { Cursor } from "../store/watch-queue.ts";
import { earlier, type Planner } from "./planner.ts";

/** Planners start over this often, so that no missed note lasts. */
export const FULL_PASS_MS = 5 * 60_000;
/** The wait after changes that could not be made doubles from the first to the second. */
export const RETRY_MIN_MS = 50;
export const RETRY_MAX_MS = 5_000;
/** Rests are no longer than this, so that a wall clock that was set back is noticed: times before it would not come. */
export const CLOCK_LOOK_MS = 10_000;
/** What counts as that: a clock that is only being adjusted stays within it. */
const SET_BACK_MS = 1_000;
/** Rounds without rest after which something is wrong: planners undo each other. Then they are slowed down. */
export const ROUNDS_MAX = 1_000;

export interface ControlLoopOptions {
  readonly store: Store;
  readonly proposer: Proposer;
  /** In the order in which they build on each other. */
  readonly planners: readonly Planner[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs the planners while this manager leads: after each change of the store, and when they asked to be woken. */
export class ControlLoop {
  readonly #options: ControlLoopOptions;
  #reign: Reign | undefined;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
  }

  /** To be called when this manager leads and its store has everything committed before. */
  lead(): void {
    if (this.#reign !== undefined) return;
    this.#reign = new Reign(this.#options);
    void this.#reign.run();
  }

  /** Stops planning; a proposal under way has whatever outcome the log gives it. */
  resign(): void {
    this.#reign?.end();
    this.#reign = undefined;
  }
}

/** One time of leading, from the full pass it begins with. */
class Reign {
  readonly #options: ControlLoopOptions;
  readonly #cursor: Cursor;
  #ended = false;
  #nextFullPassMs = 0;
  #lastRoundMs = 0;
  #retryMs = RETRY_MIN_MS;
  #wake: () => void = () => undefined;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
    this.#cursor = options.store.watch();
  }

  async run(): Promise<void> {
    for (let rounds = 1; !this.#ended; rounds++) {
      const { changed, wakeAtMs } = await this.#round();
      if (!changed) {
        rounds = 0;
        await this.#rest({ untilMs: wakeAtMs, orChange: true });
      } else if (rounds >= ROUNDS_MAX) {
        this.#options.log.warn("planners do not come to rest", { rounds });
        await this.#rest({ untilMs: this.#options.clock.nowMs() + RETRY_MAX_MS, orChange: false });
      }
    }
  }

  end(): void {
    this.#ended = true;
    this.#cursor.close();
    this.#wake();
  }

  /** Asks each planner once and makes what it wants, so that the next one sees it. */
  async #round(): Promise<{ readonly changed: boolean; readonly wakeAtMs: number }> {
    const { store, planners, clock } = this.#options;
    this.#fullPassIfDue();
    let changed = false;
    let wakeAtMs = this.#nextFullPassMs;
    for (const planner of planners) {
      if (this.#ended) break;
      this.#takeEvents();
      const plan = planner.plan(store.view(), clock.nowMs());
      wakeAtMs = earlier(wakeAtMs, plan.wakeAtMs) ?? wakeAtMs;
      if (plan.groups.length === 0) continue;
      changed = true;
      await this.#make(planner, plan.groups);
    }
    return { changed, wakeAtMs };
  }

  async #make(planner: Planner, groups: Parameters<Proposer["proposeBatched"]>[0]): Promise<void> {
    try {
      await this.#options.proposer.proposeBatched(groups);
      this.#retryMs = RETRY_MIN_MS;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      const { code, message } = error;
      this.#options.log.info("plan was not carried out; planning anew", {
        planner: planner.name,
        code,
        error: message,
      });
      await this.#rest({ untilMs: this.#options.clock.nowMs() + this.#retryMs, orChange: false });
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
      if (this.#ended) return;
      // It counted on its plan being made.
      this.#takeEvents();
      planner.reset(this.#options.store.view());
    }
  }

  #fullPassIfDue(): void {
    const nowMs = this.#options.clock.nowMs();
    const wasSetBack = nowMs < this.#lastRoundMs - SET_BACK_MS;
    this.#lastRoundMs = nowMs;
    if (nowMs < this.#nextFullPassMs && !wasSetBack) return;
    this.#nextFullPassMs = nowMs + FULL_PASS_MS;
    this.#cursor.take();
    for (const planner of this.#options.planners) planner.reset(this.#options.store.view());
  }

  #takeEvents(): void {
    const { store, planners } = this.#options;
    const batch = this.#cursor.take();
    const view = store.view();
    if (batch.kind === "resync") {
      for (const planner of planners) planner.reset(view);
      return;
    }
    for (const event of batch.events) for (const planner of planners) planner.observe(view, event);
  }

  /** Waits for a time, or until something changed if that is sooner; the end of the reign ends every wait. */
  async #rest(wait: { readonly untilMs: number; readonly orChange: boolean }): Promise<void> {
    if (this.#ended) return;
    const { clock } = this.#options;
    const restMs = Math.min(Math.max(0, wait.untilMs - clock.nowMs()), CLOCK_LOOK_MS);
    await new Promise<void>((resolve) => {
      const cancel = clock.after(restMs, resolve);
      const wake = (): void => {
        cancel();
        resolve();
      };
      this.#wake = wake;
      if (wait.orChange) void this.#cursor.ready().then(wake);
    });
  }
}
