import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { RootCa } from "../../../proto/gen/objects.ts";
import type { StoreEvent } from "../../store/apply.ts";
import { updateChange } from "../../store/changes.ts";
import type { Proposer } from "../../store/proposer.ts";
import type { Store } from "../../store/store.ts";
import type { Cursor } from "../../store/watch-queue.ts";
import { planRotation, type RotationPlan } from "./plan-rotation.ts";
import { finishRotation } from "./root-rotation.ts";

/** While nodes are behind, who has come into session is looked at this often. */
export const LOOK_MS = 1_000;
/** Otherwise this often, so that no missed event lasts. */
export const RESYNC_MS = 60_000;

export interface RotationParts {
  readonly store: Pick<Store, "view" | "watch">;
  readonly proposer: Pick<Proposer, "propose">;
  /** Tells a node to renew its certificate. @returns false when it is not in session. */
  readonly tell: (nodeId: string) => boolean;
  readonly isInSession: (nodeId: string) => boolean;
  readonly newSecret: () => Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
}

/** Moves the nodes to the CA the store names, while this manager leads. From its making to `close`. */
export class RotationLoop {
  readonly #parts: RotationParts;
  readonly #cursor: Cursor;
  readonly #toldAtMs = new Map<string, number>();
  #toldOf: RootCa | undefined;
  #behind = 0;
  #wake: () => void = () => undefined;
  #closed = false;

  constructor(parts: RotationParts) {
    this.#parts = parts;
    this.#cursor = parts.store.watch();
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#cursor.close();
    this.#wake();
  }

  async #run(): Promise<void> {
    let isDue = true;
    while (!this.#closed) {
      const batch = this.#cursor.take();
      isDue ||= batch.kind === "resync" || batch.events.some(matters);
      if (isDue) await this.#pass();
      isDue = await this.#rest(this.#behind > 0 ? LOOK_MS : RESYNC_MS);
    }
  }

  /** @returns whether the time is up; otherwise something changed. */
  async #rest(delayMs: number): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const cancel = this.#parts.clock.after(delayMs, () => resolve(true));
      this.#wake = () => {
        cancel();
        resolve(false);
      };
      void this.#cursor.ready().then(this.#wake);
    });
  }

  async #pass(): Promise<void> {
    const { store, clock, tell, isInSession } = this.#parts;
    const { cluster, nodes } = store.view();
    if (cluster?.rootCa === undefined) return;
    // Another order: who is about to carry out the last one is to hear of this.
    if (cluster.rootCa !== this.#toldOf) this.#toldAtMs.clear();
    this.#toldOf = cluster.rootCa;
    const nowMs = clock.monotonicMs();
    const plan = planRotation(cluster.rootCa, nodes.values(), {
      nowMs,
      toldAtMs: this.#toldAtMs,
      canHear: isInSession,
    });
    this.#sayProgress(plan);
    this.#forgetMoved(plan);
    for (const nodeId of plan.tell) if (tell(nodeId)) this.#toldAtMs.set(nodeId, nowMs);
    if (plan.finish) await this.#finish();
  }

  /** Who has renewed may be told the next time at once. */
  #forgetMoved({ behind }: RotationPlan): void {
    const still = new Set(behind);
    for (const nodeId of this.#toldAtMs.keys()) {
      if (!still.has(nodeId)) this.#toldAtMs.delete(nodeId);
    }
  }

  #sayProgress({ behind }: RotationPlan): void {
    if (behind.length !== this.#behind) {
      this.#parts.log.info("nodes that have yet to move to the present CA", {
        nodes: behind.length,
      });
    }
    this.#behind = behind.length;
  }

  async #finish(): Promise<void> {
    const { store, proposer, newSecret, log } = this.#parts;
    const { cluster } = store.view();
    if (cluster?.rootCa === undefined) return;
    const rootCa = finishRotation(cluster.rootCa, newSecret);
    // Nobody may have begun another move meanwhile; that would have moved the version.
    const options = { ifVersion: cluster.meta.version, bumpVersion: true };
    try {
      await proposer.propose([updateChange("cluster", cluster.id, { rootCa }, options)]);
      log.info("the swarm has a new root CA; the old one is trusted no more", {
        digest: rootCa.digest,
      });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      log.info("cannot finish the move to the new root CA yet", { error: error.message });
      this.#behind = 1;
    }
  }
}

/** Whether an event can change the plan. */
function matters(event: StoreEvent): boolean {
  if (event.kind === "cluster") return event.before?.rootCa !== event.after?.rootCa;
  if (event.kind !== "node") return false;
  const { before, after } = event;
  return before === undefined || after === undefined || before.tls !== after.tls;
}
