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
  readonly network: MemoryNetwork;
  weather: Weather = CALM;
  readonly #cuts = new Set<string>();

  /** @param deliver runs what happens on a machine when something arrives there: a dead one does nothing. */
  constructor(
    time: VirtualTime,
    random: Random,
    deliver: (machine: number, fn: () => void) => void,
  ) {
    this.network = new MemoryNetwork(time, (from, to, arrive) => {
      if (this.#cuts.has(`${from}>${to}`) || random.next() < this.weather.loss) return;
      const copies = random.next() < this.weather.doubling ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const delayMs = 0.1 + random.next() * this.weather.delayMaxMs;
        time.after(delayMs, () => deliver(to, arrive));
      }
    });
  }

  /** Nothing sent by one of `from` reaches one of `to`. */
  cut(from: readonly number[], to: readonly number[]): void {
    for (const a of from) for (const b of to) this.#cuts.add(`${a}>${b}`);
  }

  /** All connections, good weather. */
  heal(): void {
    this.#cuts.clear();
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
