import { ClusterError } from "../../core/errors.ts";
import type { EngineEvent } from "./types.ts";

/** A reader this far behind is cut off. */
export const READER_EVENTS_MAX = 2048;

/** One follower of the journal: takes what is offered without waiting, gives it at its own pace. */
export class EventReader {
  readonly #wants: (event: EngineEvent) => boolean;
  readonly #onTooSlow: () => void;
  #queue: EngineEvent[] = [];
  #state: "open" | "ended" | "tooSlow" = "open";
  #wake: () => void = () => {};

  /** @param onTooSlow called once, when it has fallen behind. */
  constructor(wants: (event: EngineEvent) => boolean, onTooSlow: () => void) {
    this.#wants = wants;
    this.#onTooSlow = onTooSlow;
  }

  offer(event: EngineEvent): void {
    if (this.#state !== "open" || !this.#wants(event)) return;
    this.#queue.push(event);
    if (this.#queue.length > READER_EVENTS_MAX) this.#close("tooSlow");
    this.#wake();
  }

  /** No more events; those queued are still given. */
  end(): void {
    if (this.#state === "open") this.#close("ended");
  }

  /** @throws {ClusterError} ResourceExhausted when it fell behind. */
  async *events(): AsyncGenerator<EngineEvent> {
    while (true) {
      const batch = this.#queue;
      this.#queue = [];
      yield* batch;
      if (this.#queue.length > 0) continue;
      if (this.#state === "ended") return;
      if (this.#state === "tooSlow") throw tooSlow();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #close(state: "ended" | "tooSlow"): void {
    this.#state = state;
    if (state === "tooSlow") {
      this.#queue = [];
      this.#onTooSlow();
    }
    this.#wake();
  }
}

function tooSlow(): ClusterError {
  const message = `cannot send events: the reader is more than ${READER_EVENTS_MAX} behind; read faster, or filter`;
  return new ClusterError("ResourceExhausted", message);
}
