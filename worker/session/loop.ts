import type { Clock } from "../../core/clock.ts";
import type { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { Hello } from "../../proto/gen/dispatcher.ts";
import type { ManagerPicker } from "./manager-picker.ts";
import { Session, type SessionEnd, type SessionHandlers } from "./session.ts";
import type { Dial } from "./wire.ts";

/** With no manager to turn to there is nothing to hurry for. */
export const NO_MANAGER_WAIT_MS = 1_000;

export interface SessionLoopDeps {
  readonly picker: ManagerPicker;
  readonly hello: () => Hello;
  readonly handlers: SessionHandlers;
  readonly onEnd: (session: Session) => void;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Keeps the worker in a session with the leader for as long as it lives: asks, follows hints, waits, asks again. */
export class SessionLoop {
  readonly #deps: SessionLoopDeps;
  #session: Session | undefined;
  #refusal: string | undefined;
  #cancelWait: (() => void) | undefined;
  #closed = false;

  constructor(deps: SessionLoopDeps) {
    this.#deps = deps;
    this.#schedule(0);
  }

  /** The session there is, welcomed or not. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Why the leader will not have this node: it was removed from the swarm. Undefined when that is not so. */
  get refusal(): string | undefined {
    return this.#session?.isWelcomed === true ? undefined : this.#refusal;
  }

  /** Ends the session and looks for no other. */
  close(reason: ClusterError): void {
    this.#closed = true;
    this.#cancelWait?.();
    this.#session?.close(reason);
  }

  #schedule(delayMs: number): void {
    if (!this.#closed) this.#cancelWait = this.#deps.clock.after(delayMs, () => this.#attempt());
  }

  #attempt(): void {
    const { picker, clock, handlers, dial, log } = this.#deps;
    const addr = picker.pick();
    if (addr === undefined) {
      log.warn("no manager is known: waiting to be told of one");
      this.#schedule(NO_MANAGER_WAIT_MS);
      return;
    }
    const patienceMs = picker.patienceMs(addr);
    const session = new Session(addr, this.#deps.hello(), { dial, patienceMs, clock, handlers });
    this.#session = session;
    void session.ended.then((end) => this.#onEnd(session, end));
  }

  #onEnd(session: Session, { welcomed, reason }: SessionEnd): void {
    const { picker, random, log, onEnd } = this.#deps;
    this.#session = undefined;
    onEnd(session);
    const { leader } = reason.details;
    if (welcomed) {
      picker.succeeded();
      this.#refusal = undefined;
    }
    const fields = { manager: session.addr, reason: reason.message };
    if (reason.code === "PermissionDenied") {
      if (this.#refusal === undefined) log.error("the swarm does not know this node", fields);
      this.#refusal = reason.message;
      picker.refused();
      this.#schedule(picker.delayMs(random));
      return;
    }
    if (reason.details.unanswered === true) picker.unanswered(session.addr);
    picker.failed(typeof leader === "string" ? leader : undefined);
    if (welcomed) log.warn("lost the manager: tasks run on while another is looked for", fields);
    else log.debug("a manager did not take us", fields);
    this.#schedule(picker.delayMs(random));
  }
}
