import type { Random } from "../../core/random.ts";
import type { ManagerAddress } from "../../proto/gen/dispatcher.ts";

/** Wait after a round in which no manager took us: short, for the next leader is elected within two seconds. */
export const ROUND_FIRST_MS = 50;
export const ROUND_MAX_MS = 500;
/** Wait after a leader that does not know this node: it must not spin, yet see when that was a mistake. */
export const REFUSED_WAIT_MS = 10_000;
/** How long a manager may take to welcome us: the next one is asked soon, but one that is merely slow gets twice the time. */
export const WELCOME_FIRST_MS = 1_000;
export const WELCOME_MAX_MS = 8_000;
/** Hints followed in a row; two managers that name each other must not keep us from asking a third. */
export const HINTS_MAX = 3;

/** Which manager to turn to, and how soon. */
export class ManagerPicker {
  #managers: readonly string[] = [];
  #next = 0;
  #hint: string | undefined;
  #hintsFollowed = 0;
  #failures = 0;
  #isRefused = false;
  /** Attempts in a row that nobody answered. */
  #unanswered = 0;
  /** Whom others called the leader, and how often it did not answer us. */
  #slowLeader = { addr: "", times: 0 };

  constructor(seeds: readonly ManagerAddress[], known: readonly ManagerAddress[]) {
    this.#managers = unique([...known, ...seeds]);
  }

  /** The managers themselves said who they are. An empty list is not believed. */
  learn(managers: readonly ManagerAddress[]): void {
    if (managers.length === 0) return;
    this.#managers = unique(managers);
    this.#next = 0;
  }

  /** host:port of each, in the order they are asked. */
  get managers(): readonly string[] {
    return this.#managers;
  }

  /** host:port to try now; undefined when no manager is known. */
  pick(): string | undefined {
    const hint = this.#hint;
    this.#hint = undefined;
    if (hint !== undefined) return hint;
    const addr = this.#managers[this.#next % this.#managers.length];
    this.#next++;
    return addr;
  }

  /** The manager took us. */
  succeeded(): void {
    this.#failures = 0;
    this.#hintsFollowed = 0;
    this.#unanswered = 0;
    this.#slowLeader = { addr: "", times: 0 };
  }

  /**
   * How long the manager at `addr` may take: longer each time for one that others say leads, so it lives, and for all of them
   * when none has answered for whole rounds, so that a starved machine gets in at last. A dead one costs no more than before.
   */
  patienceMs(addr: string): number {
    const { times } = this.#slowLeader.addr === addr ? this.#slowLeader : { times: 0 };
    const rounds = Math.floor(this.#unanswered / Math.max(this.#managers.length, 1));
    return Math.min(WELCOME_FIRST_MS * 2 ** Math.max(times, rounds), WELCOME_MAX_MS);
  }

  /** The manager at `addr` did not answer in time. */
  unanswered(addr: string): void {
    this.#unanswered++;
    if (this.#slowLeader.addr === addr) this.#slowLeader.times++;
  }

  /** It did not take us, or the session ended. @param leader who it says leads. */
  failed(leader: string | undefined): void {
    this.#failures++;
    this.#isRefused = false;
    if (leader === undefined || this.#hintsFollowed >= HINTS_MAX) {
      this.#hintsFollowed = 0;
      return;
    }
    this.#unanswered = 0;
    if (this.#slowLeader.addr !== leader) this.#slowLeader = { addr: leader, times: 0 };
    this.#hint = leader;
    this.#hintsFollowed++;
  }

  /** The leader does not know this node: no other manager will say otherwise. */
  refused(): void {
    this.#isRefused = true;
    this.#hintsFollowed = 0;
  }

  /** How long to wait before `pick`: nothing within a round of all managers, then longer with each round. */
  delayMs(random: Random): number {
    if (this.#isRefused) return REFUSED_WAIT_MS * (0.5 + random.next() / 2);
    if (this.#hint !== undefined || this.#failures === 0) return 0;
    const rounds = Math.floor(this.#failures / Math.max(this.#managers.length, 1));
    if (rounds === 0) return 0;
    const full = Math.min(ROUND_FIRST_MS * 2 ** (rounds - 1), ROUND_MAX_MS);
    return full * (0.5 + random.next() / 2);
  }
}

function unique(managers: readonly ManagerAddress[]): string[] {
  return [...new Set(managers.map((manager) => manager.addr))];
}
