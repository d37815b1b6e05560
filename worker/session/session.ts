import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Hello, ManagerMessage, Welcome } from "../../proto/gen/dispatcher.ts";
import { LIVENESS_DEFAULTS } from "../../proto/liveness-settings.ts";
import type { Dial, LogClient, Sent, Wire } from "./wire.ts";

/** The time for a welcome is counted in so many parts, so that our own pauses do not count. */
const WELCOME_PARTS = 4;
/** Own heartbeats without a word from the manager before it is taken for gone. Counted, so our own pauses do not count. */
export const SILENT_BEATS_MAX = 4;

/** What happens in a session. Handlers are called in order; one that throws ends the session. */
export interface SessionHandlers {
  onWelcome(session: Session, welcome: Welcome): void;
  onMessage(session: Session, message: NonNullable<ManagerMessage["kind"]>): void;
}

/** How a session ended. */
export interface SessionEnd {
  readonly welcomed: boolean;
  readonly reason: ClusterError;
}

export interface SessionDeps {
  readonly dial: Dial;
  /** A manager that has not welcomed us by then is passed over. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly handlers: SessionHandlers;
}

/** One conversation with one manager, from Hello to its end. */
export class Session {
  readonly addr: string;
  readonly #clock: Clock;
  readonly #handlers: SessionHandlers;
  readonly #wire: Wire;
  readonly #ended: Promise<SessionEnd>;
  #end: (end: SessionEnd) => void = () => undefined;
  #cancelTimer: () => void;
  #welcomed = false;
  #silentBeats = 0;

  constructor(addr: string, hello: Hello, deps: SessionDeps) {
    this.addr = addr;
    this.#clock = deps.clock;
    this.#handlers = deps.handlers;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#wire = deps.dial(addr, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: (reason) => this.#close(reason),
    });
    this.#cancelTimer = () => undefined;
    this.#awaitWelcome(deps.patienceMs, WELCOME_PARTS);
    this.send({ $case: "hello", value: hello });
  }

  /** Resolves when it is over; never rejects. */
  get ended(): Promise<SessionEnd> {
    return this.#ended;
  }

  /** Whether the manager took us. */
  get isWelcomed(): boolean {
    return this.#welcomed;
  }

  /** For the streams beside the session. */
  get logs(): LogClient {
    return this.#wire.logs;
  }

  /** Sends in order. What the session does not deliver is the caller's to send again in the next. */
  send(message: Sent): void {
    this.#wire.send(message);
  }

  /** Ends it from our side. */
  close(reason: ClusterError): void {
    this.#close(reason);
  }

  #onMessage({ kind }: ManagerMessage): void {
    this.#silentBeats = 0;
    if (kind === undefined) return;
    try {
      if (kind.$case === "welcome") this.#onWelcome(kind.value);
      else if (kind.$case === "settings") this.#beatEvery(kind.value.heartbeatMs);
      else if (kind.$case !== "heartbeat") this.#handlers.onMessage(this, kind);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#close(error);
    }
  }

  #awaitWelcome(patienceMs: number, partsLeft: number): void {
    if (partsLeft === 0) {
      this.#close(ended(this.addr, `no answer within ${patienceMs} ms`, { unanswered: true }));
      return;
    }
    this.#cancelTimer = this.#clock.after(patienceMs / WELCOME_PARTS, () =>
      this.#awaitWelcome(patienceMs, partsLeft - 1),
    );
  }

  #onWelcome(welcome: Welcome): void {
    this.#handlers.onWelcome(this, welcome);
    this.#welcomed = true;
    this.#beatEvery(welcome.heartbeatMs);
  }

  #beatEvery(periodMs: number): void {
    this.#beatAfter(periodMs > 0 ? periodMs : LIVENESS_DEFAULTS.heartbeatMs);
  }

  #beatAfter(periodMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(periodMs, () => {
      this.#silentBeats++;
      if (this.#silentBeats > SILENT_BEATS_MAX) {
        this.#close(ended(this.addr, `no word for ${SILENT_BEATS_MAX} heartbeats`));
        return;
      }
      this.send({ $case: "heartbeat", value: {} });
      this.#beatAfter(periodMs);
    });
  }

  #close(reason: ClusterError): void {
    this.#cancelTimer();
    this.#wire.close();
    this.#end({ welcomed: this.#welcomed, reason });
  }
}

function ended(addr: string, why: string, details: { unanswered?: true } = {}): ClusterError {
  const message = `session with manager ${addr} ended: ${why}`;
  return new ClusterError("Unavailable", message, { details });
}
