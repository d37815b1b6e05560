import { ClusterError } from "../../core/errors.ts";

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Work that several callers want at once is done once; it is given up when the last of them has given up. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Joins the work under `key`, or starts it.
   *
   * @param work gets a signal of its own: one caller's leaving does not stop the others.
   * @throws {ClusterError} Cancelled when `signal` ends this caller's waiting; else what `work` throws.
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    if (signal?.aborted) throw cancelled();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting++;
    try {
      return await (signal === undefined ? flight.result : orAborted(flight.result, signal));
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) this.#leave(key, flight);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { result: work(abort.signal), abort, waiting: 0 };
    const forget = (): void => this.#forget(key, flight);
    flight.result.then(forget, forget);
    this.#flights.set(key, flight);
    return flight;
  }

  #leave(key: string, flight: Flight<T>): void {
    this.#forget(key, flight);
    flight.abort.abort();
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function cancelled(): ClusterError {
  return new ClusterError("Cancelled", "cancelled by the caller");
}
