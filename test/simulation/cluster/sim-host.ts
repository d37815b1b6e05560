import type { Clock } from "../../../core/clock.ts";
import { type Random, seededRandom } from "../../../core/random.ts";
import type { VirtualTime } from "../raft/virtual-time.ts";

/** A machine with one daemon on it. The daemon may crash alone; when the machine loses its power everything on it goes. */
export class SimHost {
  /** By which the network knows it. */
  readonly number: number;
  readonly random: Random;
  readonly #time: VirtualTime;
  /** Its clocks are that much slower than the others'. */
  readonly #drift: number;
  /** Counts the daemons it has had: what an earlier one began has no effect on a later one. */
  #life = 0;
  #isPowered = true;
  #isUp = false;
  #pausedUntilMs = 0;
  /** Its wall clock shows this much more than the others'. */
  wallOffsetMs = 0;

  constructor(time: VirtualTime, number: number, random: Random) {
    this.#time = time;
    this.number = number;
    this.random = seededRandom(random.next() * 2 ** 32);
    this.#drift = 0.95 + this.random.next() * 0.1;
  }

  get isPowered(): boolean {
    return this.#isPowered;
  }

  /** Whether its daemon runs. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#time.monotonicMs();
  }

  /** A new daemon. */
  start(): void {
    this.#life++;
    this.#isPowered = true;
    this.#isUp = true;
  }

  /** Its daemon is gone, and with `power` the machine. */
  stop(how: { readonly power: boolean }): void {
    this.#life++;
    this.#isUp = false;
    this.#pausedUntilMs = 0;
    if (how.power) this.#isPowered = false;
  }

  /** Its daemon stands still for a while, as when it is stopped by a signal. */
  pause(durationMs: number): void {
    this.#pausedUntilMs = this.#time.monotonicMs() + durationMs;
  }

  resume(): void {
    this.#pausedUntilMs = 0;
  }

  /** Runs what it is given in the daemon there is now: when its pause is over, never once it is gone. */
  daemon(): (fn: () => void) => void {
    const life = this.#life;
    return (fn) => this.#runIn(life, fn);
  }

  /** Whether the daemon there is now is still the one. */
  aliveness(): () => boolean {
    const life = this.#life;
    return () => this.#isUp && life === this.#life;
  }

  /** Of the daemon there is now. */
  clock(): Clock {
    const run = this.daemon();
    return {
      nowMs: () => Math.floor(this.#time.nowMs() + this.wallOffsetMs),
      monotonicMs: () => this.#time.monotonicMs(),
      after: (delayMs, fn) => this.#time.after(delayMs * this.#drift, () => run(fn)),
    };
  }

  /** Resolves after some time, unless the daemon there is now is gone by then: then never. */
  delayer(maxMs: number): () => Promise<void> {
    const run = this.daemon();
    return () =>
      new Promise((resolve) => {
        this.#time.after(this.random.next() * maxMs, () => run(resolve));
      });
  }

  #runIn(life: number, fn: () => void): void {
    if (!this.#isUp || life !== this.#life) return;
    const leftMs = this.#pausedUntilMs - this.#time.monotonicMs();
    if (leftMs > 0) this.#time.after(leftMs, () => this.#runIn(life, fn));
    else fn();
  }
}
