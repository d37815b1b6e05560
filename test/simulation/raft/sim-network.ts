import { type Random, randomInt } from "../../../core/random.ts";
import { MemoryNetwork } from "../../../manager/log/transport/memory-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How packets fare that no partition stops. */
export interface Weather {
  /** Chance of being lost. */
  readonly loss: number;
  /** Chance of arriving twice. */
  readonly doubling: number;
  readonly delayMaxMs: number;
}

/** A network on a good day. Packets overtake each other even so. */
export const CALM: Weather = { loss: 0, doubling: 0, delayMaxMs: 3 };

/** A network that loses, doubles, delays and disorders packets, and that can be cut in each direction. */
export class SimNetwork {
  /** What carries raft's messages. */
  readonly network: MemoryNetwork;
  weather: Weather = CALM;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #cuts = new Set<string>();
  readonly #clogged = new Set<number>();
  /** Counts the times all was healed: what was planned before is off. */
  #era = 0;

  /**
   * @param deliver runs what happens on a machine when something arrives there: a dead one does nothing.
   * @param machineOf the machine a member of the log is on.
   */
  constructor(
    time: VirtualTime,
    random: Random,
    deliver: (machine: number, fn: () => void) => void,
    machineOf: (raftId: number) => number = (raftId) => raftId,
  ) {
    this.#time = time;
    this.#random = random;
    this.network = new MemoryNetwork(time, (fromId, toId, arrive) => {
      const [from, to] = [machineOf(fromId), machineOf(toId)];
      if (!this.isOpen(from, to) || random.next() < this.weather.loss) return;
      const copies = random.next() < this.weather.doubling ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        time.after(this.delayMs(), () => deliver(to, arrive));
      }
    });
  }

  /** How long a packet travels. */
  delayMs(): number {
    return 0.1 + this.#random.next() * this.weather.delayMaxMs;
  }

  /** Whether packets of `from` come to `to`, but for the weather. */
  isOpen(from: number, to: number): boolean {
    if (this.#clogged.has(from) || this.#clogged.has(to)) return false;
    return !this.#cuts.has(`${from}>${to}`);
  }

  /** Whether a packet sent now comes through: the link is open, and the weather spares it. */
  passes(from: number, to: number): boolean {
    return this.isOpen(from, to) && this.#random.next() >= this.weather.loss;
  }

  /** Nothing sent by one of `from` reaches one of `to`. */
  cut(from: readonly number[], to: readonly number[]): void {
    for (const a of from) for (const b of to) this.#cuts.add(`${a}>${b}`);
  }

  /** Cuts machines off one after another, and lets them back one after another in another order. */
  swizzle(machines: readonly number[], stepMs: number): void {
    const chosen = shuffled(this.#random, machines).slice(
      0,
      1 + randomInt(this.#random, machines.length),
    );
    const era = this.#era;
    chosen.forEach((machine, i) => {
      this.#time.after(i * stepMs, () => {
        if (era === this.#era) this.#clogged.add(machine);
      });
    });
    shuffled(this.#random, chosen).forEach((machine, i) => {
      this.#time.after((chosen.length + i) * stepMs, () => this.#clogged.delete(machine));
    });
  }

  /** All connections, good weather. */
  heal(): void {
    this.#era++;
    this.#cuts.clear();
    this.#clogged.clear();
    this.weather = CALM;
  }
}

/** Weather of any kind. */
export function someWeather(random: Random): Weather {
  const mild = { loss: 0.05, doubling: 0.05, delayMaxMs: 40 };
  const rough = { loss: 0.3, doubling: 0.2, delayMaxMs: 150 };
  const slow = { loss: 0, doubling: 0, delayMaxMs: 400 };
  return [CALM, mild, rough, slow][randomInt(random, 4)] ?? CALM;
}

/** The same things in any order. */
export function shuffled<T>(random: Random, things: readonly T[]): T[] {
  const all = [...things];
  for (let i = all.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1);
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
