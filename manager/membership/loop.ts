import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import type { ReplicatedLog } from "../log/replicated-log.ts";
import { updateChange } from "../store/changes.ts";
import type { Proposer } from "../store/proposer.ts";
import type { Store } from "../store/store.ts";
import type { Cursor } from "../store/watch-queue.ts";
import { type MembershipAction, planMembership } from "./plan-membership.ts";

/** How long an action that failed waits for its next try: a manager that would break the majority may come back. */
export const RETRY_MS = 2_000;
/** Members are looked at this often although no node changed: the log does not say when its table does. */
export const RESYNC_MS = 10_000;

/** What the loop looks at and acts through. */
export interface MembershipParts {
  readonly store: Pick<Store, "view" | "watch">;
  readonly proposer: Pick<Proposer, "propose">;
  readonly replicatedLog: Pick<ReplicatedLog, "members" | "leadership" | "removeMember">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps roles and the managers' group in agreement while this manager leads. From its making to `close`. */
export class MembershipLoop {
  readonly #parts: MembershipParts;
  readonly #cursor: Cursor;
  #wake: () => void = () => undefined;
  /** Something happened since the last pass began. */
  #isNudged = false;
  #closed = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#cursor = parts.store.watch();
    void this.#run();
  }

  /** The members changed: look now. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#cursor.close();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#cursor.take();
      this.#isNudged = false;
      const failed = await this.#pass();
      if (this.#closed || this.#isNudged) continue;
      if (failed) await this.#rest(RETRY_MS);
      else await this.#untilNews();
    }
  }

  /** Until a node changes or it is time to look anyway: most writes are of no concern here, and there may be thousands a second. */
  async #untilNews(): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + RESYNC_MS;
    while (!this.#closed && !this.#isNudged) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#rest(leftMs, this.#cursor.ready());
      const news = this.#cursor.take();
      if (news.kind === "resync" || news.events.some(({ kind }) => kind === "node")) return;
    }
  }

  /** Until the time is up, `sooner` comes, or somebody wakes us. */
  async #rest(delayMs: number, sooner?: Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      void sooner?.then(this.#wake);
    });
  }

  /** @returns whether something failed and is to be tried again. */
  async #pass(): Promise<boolean> {
    const { store, replicatedLog, log } = this.#parts;
    const { leaderRaftId } = replicatedLog.leadership();
    let failed = false;
    for (const action of planMembership(store.view(), replicatedLog.members(), leaderRaftId)) {
      if (this.#closed) return false;
      try {
        await this.#carryOut(action);
        log.info("managers changed", { action: action.kind, nodeId: action.nodeId });
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        const { kind, nodeId } = action;
        log.warn("cannot change the managers yet", { action: kind, nodeId, error: error.message });
        failed = true;
      }
    }
    return failed;
  }

  async #carryOut(action: MembershipAction): Promise<void> {
    const { proposer, replicatedLog } = this.#parts;
    const { nodeId } = action;
    const skipIfAbsent = true;
    switch (action.kind) {
      case "removeMember":
        await replicatedLog.removeMember(action.raftId);
        this.nudge();
        break;
      case "setRole":
        await proposer.propose([
          updateChange("node", nodeId, { role: action.role }, { skipIfAbsent }),
        ]);
        break;
      case "setManager": {
        const { raftId, addr } = action.member;
        const patch = { manager: { raftId, addr }, role: NodeRole.MANAGER };
        await proposer.propose([updateChange("node", nodeId, patch, { skipIfAbsent })]);
        break;
      }
      case "clearManager":
        await proposer.propose([
          updateChange("node", nodeId, { manager: undefined }, { skipIfAbsent }),
        ]);
        break;
    }
  }
}
