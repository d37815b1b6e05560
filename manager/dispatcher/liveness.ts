import { NodeState } from "../../proto/gen/objects.ts";
import type { LivenessSettings } from "../../proto/liveness-settings.ts";

/** A change of what the managers believe of a node. */
export interface Transition {
  readonly nodeId: string;
  readonly state: NodeState;
  readonly message: string;
}

/** How often `tick` is to be called. */
export const LIVENESS_TICK_MS = 100;
/** Ticks later than this show that we were not running: what was not heard meanwhile counts for nothing. */
export const LAG_MIN_MS = 100;
/** Heartbeats missed before a node counts as silent beside others. */
const SILENT_BEATS = 2;
/** Fewer silent nodes are no sign that we are the one cut off. */
export const MASS_NODES_MIN = 2;

type Life =
  /** In session; `sinceMs` is its last word. */
  | {
      readonly phase: "ready";
      readonly sinceMs: number;
      /** When its host last answered although its daemon said nothing; absent: not since its last word. */
      readonly answeredMs?: number;
      /** It would be down, but for a doubt: it is called disconnected meanwhile. */
      readonly held?: true;
    }
  /** Its session broke, or we lead since `sinceMs` and have not heard of it. */
  | {
      readonly phase: "awaited";
      readonly sinceMs: number;
      readonly why: string;
      /** When it is to be called disconnected: it keeps its tasks and gets no new ones. Infinity: it was. */
      readonly lateAtMs: number;
    }
  | { readonly phase: "down" };

/**
 * Who is there. Unreachable is not dead, and dead is found fast: silence makes a node `down` soon, a broken connection
 * only after the grace a restarting daemon needs. A silent daemon whose host answers is stopped or starved, and gets the same
 * grace: its containers run. When most nodes fall silent together, or we ourselves stood still, the fault is more likely ours,
 * and nobody is declared dead for as long as that grace.
 *
 * Times are monotonic milliseconds. Pure: the caller brings the time and carries out the transitions.
 */
export class Liveness {
  #settings: LivenessSettings;
  readonly #lives = new Map<string, Life>();
  #lastTickMs: number;
  /** Whether most were silent at the last tick. */
  #wasMass = false;

  constructor(settings: LivenessSettings, nowMs: number) {
    this.#settings = settings;
    this.#lastTickMs = nowMs;
  }

  /** Takes new settings into use. Silence counts from now: workers that beat at the old pace are not late by the new. */
  configure(settings: LivenessSettings, nowMs: number): void {
    const old = this.#settings;
    const same =
      old.heartbeatMs === settings.heartbeatMs &&
      old.downAfterMs === settings.downAfterMs &&
      old.restartGraceMs === settings.restartGraceMs;
    if (same) return;
    this.#settings = settings;
    for (const [nodeId, life] of this.#lives)
      if (life.phase === "ready") this.#lives.set(nodeId, { ...life, sinceMs: nowMs });
  }

  /**
   * A node a new leader finds in the store. Other managers are late at once: where the leader before us is gone, so are
   * the tasks that would be placed beside it.
   */
  expect(
    nodeId: string,
    known: { readonly state: NodeState; readonly isOtherManager: boolean },
    nowMs: number,
  ): void {
    const { state, isOtherManager } = known;
    if (state === NodeState.DOWN || state === NodeState.UNKNOWN) {
      this.#lives.set(nodeId, DOWN);
      return;
    }
    const lateAtMs = isOtherManager ? nowMs : nowMs + this.#silenceMs;
    this.#lives.set(nodeId, {
      phase: "awaited",
      sinceMs: nowMs,
      why: "it did not report to the new leader",
      lateAtMs: state === NodeState.DISCONNECTED ? Number.POSITIVE_INFINITY : lateAtMs,
    });
  }

  onHello(nodeId: string, nowMs: number): Transition {
    this.#lives.set(nodeId, { phase: "ready", sinceMs: nowMs });
    return { nodeId, state: NodeState.READY, message: "" };
  }

  /** Anything the node says in its session. @returns what changes when it was already missed. */
  onWord(nodeId: string, nowMs: number): Transition | undefined {
    const life = this.#lives.get(nodeId);
    if (life?.phase !== "ready") return undefined;
    this.#lives.set(nodeId, { phase: "ready", sinceMs: nowMs });
    return life.held ? { nodeId, state: NodeState.READY, message: "" } : undefined;
  }

  /** Nodes in session that are silent: whether their hosts answer decides how long they are waited for. */
  silent(nowMs: number): string[] {
    const silent: string[] = [];
    for (const [nodeId, life] of this.#lives)
      if (life.phase === "ready" && nowMs - life.sinceMs > this.#silenceMs) silent.push(nodeId);
    return silent;
  }

  /** The kernel of a silent node's host answered. */
  onHostAnswered(nodeId: string, nowMs: number): void {
    const life = this.#lives.get(nodeId);
    if (life?.phase === "ready") this.#lives.set(nodeId, { ...life, answeredMs: nowMs });
  }

  /** The node's session broke: its host answered, or this would be silence. */
  onBroken(nodeId: string, nowMs: number): Transition | undefined {
    if (this.#lives.get(nodeId)?.phase !== "ready") return undefined;
    const why = "its daemon did not come back";
    const lateAtMs = Number.POSITIVE_INFINITY;
    this.#lives.set(nodeId, { phase: "awaited", sinceMs: nowMs, why, lateAtMs });
    const seconds = this.#settings.restartGraceMs / 1000;
    const message = `connection lost; waiting ${seconds} s for its daemon to come back`;
    return { nodeId, state: NodeState.DISCONNECTED, message };
  }

  /** The node was removed from the swarm. */
  forget(nodeId: string): void {
    this.#lives.delete(nodeId);
  }

  /** Who is missing at this time, and who has to be given up. */
  tick(nowMs: number): Transition[] {
    const lagMs = nowMs - this.#lastTickMs - LIVENESS_TICK_MS;
    this.#lastTickMs = nowMs;
    if (lagMs > LAG_MIN_MS) this.#forgive(lagMs, nowMs);

    const mass = this.#mostAreSilent(nowMs);
    if (this.#wasMass && !mass) this.#release(nowMs);
    this.#wasMass = mass;
    const transitions: Transition[] = [];
    for (const [nodeId, life] of this.#lives) {
      const message = this.#whyDown(life, mass, nowMs);
      const doubt = this.#doubt(life, mass, nowMs);
      if (message !== undefined) {
        this.#lives.set(nodeId, DOWN);
        transitions.push({ nodeId, state: NodeState.DOWN, message });
      } else if (life.phase === "ready" && life.held === undefined && doubt !== undefined) {
        this.#lives.set(nodeId, { ...life, held: true });
        transitions.push({ nodeId, state: NodeState.DISCONNECTED, message: doubt });
      } else if (life.phase === "awaited" && nowMs > life.lateAtMs) {
        this.#lives.set(nodeId, { ...life, lateAtMs: Number.POSITIVE_INFINITY });
        const late = "it has not reported to the new leader yet";
        transitions.push({ nodeId, state: NodeState.DISCONNECTED, message: late });
      }
    }
    return transitions;
  }

  /** A node silent for longer is remarkable, if not yet gone. */
  get #silenceMs(): number {
    return SILENT_BEATS * this.#settings.heartbeatMs;
  }

  #whyDown(life: Life, mass: boolean, nowMs: number): string | undefined {
    if (life.phase === "down") return undefined;
    const { downAfterMs, restartGraceMs } = this.#settings;
    const silentMs = nowMs - life.sinceMs;
    if (life.phase === "awaited") {
      return silentMs <= restartGraceMs ? undefined : `${life.why} within ${restartGraceMs} ms`;
    }
    const patienceMs =
      this.#doubt(life, mass, nowMs) === undefined
        ? downAfterMs
        : Math.max(restartGraceMs, downAfterMs);
    return silentMs <= patienceMs ? undefined : `no heartbeat for ${patienceMs} ms`;
  }

  /** Why a node silent for long enough to be down may be alive all the same; undefined when nothing speaks for it. */
  #doubt(life: Life, mass: boolean, nowMs: number): string | undefined {
    const { downAfterMs, restartGraceMs } = this.#settings;
    if (life.phase !== "ready" || nowMs - life.sinceMs <= downAfterMs) return undefined;
    const silence = `no heartbeat for ${downAfterMs} ms`;
    const wait = `waiting ${restartGraceMs / 1000} s`;
    if (mass)
      return `${silence}, but most nodes are silent together: the fault may be ours; ${wait}`;
    const answers = life.answeredMs !== undefined && nowMs - life.answeredMs <= downAfterMs;
    return answers
      ? `${silence}, but its host answers: its daemon is busy or stopped; ${wait}`
      : undefined;
  }

  #mostAreSilent(nowMs: number): boolean {
    let there = 0;
    let silent = 0;
    for (const life of this.#lives.values()) {
      if (life.phase !== "ready") continue;
      there++;
      if (nowMs - life.sinceMs > this.#silenceMs) silent++;
    }
    return silent >= MASS_NODES_MIN && silent * 2 > there;
  }

  /** Most are back: those held with them, who come back one by one, are given as long as any silent node. */
  #release(nowMs: number): void {
    for (const [nodeId, life] of this.#lives)
      if (life.phase === "ready" && life.held) this.#lives.set(nodeId, { ...life, sinceMs: nowMs });
  }

  /** We did not run for `lagMs`: nobody could be heard. */
  #forgive(lagMs: number, nowMs: number): void {
    for (const [nodeId, life] of this.#lives) {
      if (life.phase === "down") continue;
      const sinceMs = Math.min(life.sinceMs + lagMs, nowMs);
      const later =
        life.phase === "ready"
          ? { ...life, sinceMs }
          : { ...life, sinceMs, lateAtMs: life.lateAtMs + lagMs };
      this.#lives.set(nodeId, later);
    }
  }
}

const DOWN: Life = { phase: "down" };
