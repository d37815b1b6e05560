import type { Clock } from "../../../core/clock.ts";
import { findMember } from "../members.ts";
import type { EtcdKv } from "./etcd-kv.ts";
import type { Keys } from "./keys.ts";
import type { MetaView } from "./meta-view.ts";

/** How long a leader that says nothing is believed to be there. */
export const LEASE_MS = 5_000;
/** Between two signs of life. */
export const BEAT_MS = 1_000;
/** How much earlier than etcd we take our lease for ended: a slow clock must not make two leaders. */
export const LEASE_MARGIN_MS = 1_000;

export interface SessionParts {
  readonly kv: EtcdKv;
  readonly keys: Keys;
  readonly view: MetaView;
  readonly clock: Clock;
  readonly raftId: number;
  readonly nodeId: string;
  /** Whether all that was committed when the log was opened is applied here. */
  readonly isCaughtUp: () => boolean;
}

/** This member's lease, and the keys that live by it: that it is there, and that it would lead. */
export class Session {
  readonly #parts: SessionParts;
  #leaseId: string | undefined;
  #validUntilMs = 0;
  #term: number | undefined;
  #isFirst = true;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The revision at which our candidacy began; undefined while there is none. */
  get term(): number | undefined {
    return this.#term;
  }

  /** When the lease must be taken for ended, in the clock's monotonic time. */
  get validUntilMs(): number {
    return this.#leaseId === undefined ? 0 : this.#validUntilMs;
  }

  /** Whether a candidacy is due. */
  get wantsToLead(): boolean {
    const { view, raftId } = this.#parts;
    const { candidates, members } = view.meta;
    const member = findMember(members, raftId);
    if (member === undefined || member.learner === true) return false;
    return !candidates.some((candidate) => candidate.raftId === raftId);
  }

  /** Keeps the lease or gets a new one. @throws {ClusterError} */
  async keep(): Promise<void> {
    const { kv, clock } = this.#parts;
    const sentMs = clock.monotonicMs();
    if (this.#leaseId !== undefined) {
      const ttlMs = await kv.keepAlive(this.#leaseId);
      if (ttlMs > 0) {
        this.#validUntilMs = sentMs + ttlMs - LEASE_MARGIN_MS;
        return;
      }
      this.#forget();
    }
    if (this.#isFirst) await this.#endPredecessor();
    this.#isFirst = false;
    const { id, ttlMs } = await kv.grantLease(LEASE_MS);
    this.#leaseId = id;
    this.#validUntilMs = sentMs + ttlMs - LEASE_MARGIN_MS;
  }

  /** Writes the keys that are due and not there, as of the view. @throws {ClusterError} */
  async claim(): Promise<void> {
    const { view, raftId, isCaughtUp } = this.#parts;
    const { candidates, members, present } = view.meta;
    const own = candidates.find((candidate) => candidate.raftId === raftId);
    // Only we write it, and what we wrote by an earlier lease went with it.
    this.#term = own?.term;
    const leaseId = this.#leaseId;
    if (leaseId === undefined || !isCaughtUp()) return;
    if (!members.removed.includes(raftId) && !present.has(raftId)) await this.#appear(leaseId);
    if (this.wantsToLead) await this.#campaign(leaseId);
  }

  /** Ends our candidacy; the next one is behind those of the others. @throws {ClusterError} */
  async standDown(): Promise<void> {
    const { keys, raftId } = this.#parts;
    this.#term = undefined;
    await this.#remove([keys.candidate(raftId)]);
  }

  /** Ends the lease at once, so that nobody waits for it. @throws {ClusterError} */
  async release(): Promise<void> {
    const leaseId = this.#leaseId;
    this.#forget();
    if (leaseId !== undefined) await this.#parts.kv.revokeLease(leaseId);
  }

  #forget(): void {
    this.#leaseId = undefined;
    this.#term = undefined;
  }

  /** What an earlier process of this member left lives on by a lease nobody keeps. */
  async #endPredecessor(): Promise<void> {
    const { keys, raftId } = this.#parts;
    await this.#remove([keys.candidate(raftId), keys.present(raftId)]);
  }

  async #remove(own: readonly string[]): Promise<void> {
    const { kv, view } = this.#parts;
    const { revision } = await kv.txn({ act: own.map((remove) => ({ remove })) });
    for (const key of own) view.apply({ kind: "removed", key, modRevision: revision });
  }

  async #appear(leaseId: string): Promise<void> {
    const { kv, keys, raftId, nodeId } = this.#parts;
    const removed = { key: keys.removed(raftId), createRevision: 0 };
    const put = { put: keys.present(raftId), value: Buffer.from(nodeId), leaseId };
    await kv.txn({ when: [removed], act: [put] });
  }

  async #campaign(leaseId: string): Promise<void> {
    const { kv, keys, raftId, view } = this.#parts;
    const key = keys.candidate(raftId);
    const value = new Uint8Array(0);
    const { held, revision } = await kv.txn({
      when: [
        { key, createRevision: 0 },
        { key: keys.member(raftId), exists: true },
      ],
      act: [{ put: key, value, leaseId }],
    });
    if (!held) return;
    this.#term = revision;
    const entry = { key, value, createRevision: revision, modRevision: revision };
    view.apply({ kind: "put", entry });
  }
}
