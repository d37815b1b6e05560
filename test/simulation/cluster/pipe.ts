import type { SimNetwork } from "../raft/sim-network.ts";
import type { VirtualTime } from "../raft/virtual-time.ts";

/** What was lost is sent again after so long, as TCP does. */
const RESEND_MS = 200;

/** One direction of a connection: everything arrives in order, late where the network is bad, never while it is cut. */
export class Pipe {
  readonly #time: VirtualTime;
  readonly #network: SimNetwork;
  readonly #from: number;
  readonly #to: number;
  #queue: (() => void)[] = [];
  #isBusy = false;
  #isClosed = false;

  constructor(
    net: { readonly time: VirtualTime; readonly network: SimNetwork },
    from: number,
    to: number,
  ) {
    this.#time = net.time;
    this.#network = net.network;
    this.#from = from;
    this.#to = to;
  }

  /** `arrive` is called at the other end. */
  send(arrive: () => void): void {
    if (this.#isClosed) return;
    this.#queue.push(arrive);
    if (!this.#isBusy) this.#try(this.#network.delayMs());
  }

  /** What is under way is lost. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  #try(afterMs: number): void {
    this.#isBusy = true;
    this.#time.after(afterMs, () => {
      if (!this.#network.passes(this.#from, this.#to)) {
        this.#try(RESEND_MS);
        return;
      }
      // All that queued meanwhile travels together.
      const arrived = this.#queue.splice(0);
      this.#isBusy = false;
      for (const arrive of arrived) if (!this.#isClosed) arrive();
    });
  }
}
