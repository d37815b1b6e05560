import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Membership } from "./membership.ts";
import type { RaftDriver } from "./raft-driver.ts";
import type { Member } from "./replicated-log.ts";

/** After a try that failed. */
const RETRY_MS = 1_000;

export interface MemberAddressesParts {
  readonly self: Member;
  readonly driver: RaftDriver;
  readonly membership: Pick<Membership, "relocate">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the member table true when members move: each says in its hello where it is, and whoever leads writes that down.
 *
 * An address is a hint and the certificate the proof: what a wrong one costs is a connection.
 */
export class MemberAddresses {
  readonly #parts: MemberAddressesParts;
  /** By raft id. */
  readonly #said = new Map<number, Member>();
  #work: Promise<void> | undefined;
  #cancelRetry: () => void = () => undefined;

  constructor(parts: MemberAddressesParts) {
    this.#parts = parts;
    this.#said.set(parts.self.raftId, parts.self);
    parts.driver.leadership.listen(() => this.#look());
  }

  /** A member said where it is. */
  onHello(member: Member): void {
    this.#said.set(member.raftId, member);
    this.#look();
  }

  close(): void {
    this.#cancelRetry();
  }

  #look(): void {
    this.#work ??= this.#writeDown().finally(() => {
      this.#work = undefined;
    });
  }

  async #writeDown(): Promise<void> {
    for (let moved = this.#findMoved(); moved !== undefined; moved = this.#findMoved()) {
      const { membership, clock, log } = this.#parts;
      const { raftId, nodeId, addr } = moved;
      try {
        await membership.relocate(moved);
        log.info("a manager is found at another address", { raftId, nodeId, addr });
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        log.debug("cannot write down a manager's address yet", { raftId, error: error.message });
        this.#cancelRetry();
        this.#cancelRetry = clock.after(RETRY_MS, () => this.#look());
        return;
      }
    }
  }

  #findMoved(): Member | undefined {
    const { driver } = this.#parts;
    if (driver.isStopped || !driver.leadership.current.isLeader) return undefined;
    for (const { raftId, nodeId, addr } of driver.applied.members.members) {
      const said = this.#said.get(raftId);
      if (said !== undefined && said.nodeId === nodeId && said.addr !== addr) return said;
    }
    return undefined;
  }
}
