import type { Entry } from "../../../raft-ts/index.ts";
import { jointVote } from "../../../raft-ts/quorum/joint.ts";
import type { MemberObserver, SimMember } from "./sim-member.ts";
import type { SimNetwork } from "./sim-network.ts";
import { entryText } from "./trace.ts";

interface Committed {
  readonly entry: Entry;
  /** The term in which it was first seen to be committed; it may have been an earlier one. */
  readonly seenInTerm: number;
}

/** Raft's promises, checked while a network runs. Source: Raft paper, Figure 3. */
export class SafetyMonitor implements MemberObserver {
  readonly #network: SimNetwork;
  readonly #isMembershipFixed: boolean;
  readonly #committed = new Map<number, Committed>();
  readonly #leaders = new Map<number, number>();
  readonly #reads = new Map<number, number>();
  #maxCommitted = 0;
  #nextRead = 1;

  constructor(network: SimNetwork, options: { readonly isMembershipFixed: boolean }) {
    this.#network = network;
    this.#isMembershipFixed = options.isMembershipFixed;
  }

  get commits(): number {
    return this.#committed.size;
  }

  get elections(): number {
    return this.#leaders.size;
  }

  /** State Machine Safety: no two members apply different entries at one index. */
  onApply(member: SimMember, entry: Entry): void {
    const known = this.#committed.get(entry.index)?.entry;
    if (known === undefined) {
      this.#onCommit(member, entry);
      return;
    }
    check(
      known.term === entry.term && isSame(known.data, entry.data),
      `state machine safety: ${member.id} applies ${entryText(entry)}, another applied ${entryText(known)}`,
    );
  }

  /** Linearizability: a read sees everything that was committed anywhere before it was asked. */
  onRead(member: SimMember, context: number, index: number): void {
    const least = this.#reads.get(context) ?? 0;
    this.#reads.delete(context);
    check(
      index >= least,
      `stale read: ${member.id} serves at ${index} what was asked after ${least} was committed`,
    );
  }

  /** A read is about to be asked. @returns its context. */
  beginRead(): number {
    const context = this.#nextRead++;
    this.#reads.set(context, this.#maxCommitted);
    return context;
  }

  /** Election Safety and Leader Completeness, of every leader when it is first seen. Call after each event. */
  checkLeaders(): void {
    for (const member of this.#network.leaders) {
      const { term } = member.node.leadership();
      const other = this.#leaders.get(term);
      if (other === member.id) continue;
      check(other === undefined, `election safety: ${other} and ${member.id} lead in term ${term}`);
      this.#leaders.set(term, member.id);
      this.#checkCompleteness(member, term);
    }
  }

  /** Log Matching: logs that agree at an index agree on everything before it. */
  checkLogs(): void {
    const members = [...this.#network.members.values()];
    for (const a of members) {
      for (const b of members) if (a.id < b.id) this.#checkMatching(a, b);
    }
  }

  #onCommit(member: SimMember, entry: Entry): void {
    const seenInTerm = member.node.leadership().term;
    this.#committed.set(entry.index, { entry, seenInTerm });
    this.#maxCommitted = Math.max(this.#maxCommitted, entry.index);
    if (this.#isMembershipFixed) this.#checkDurable(member, entry);
  }

  /** Nothing acknowledged is lost: what is applied anywhere is on the disks of a majority. */
  #checkDurable(member: SimMember, { index, term }: Entry): void {
    const { confState } = member.node.status();
    if (confState.voters.length === 0) return;
    const result = jointVote(confState, (id) => {
      const { durable } = this.#network.get(id);
      return durable.termAt(index) === term || (durable.snapshot?.index ?? 0) >= index;
    });
    check(
      result === "won",
      `durability: ${term}/${index} is applied, and not on a majority's disks`,
    );
  }

  #checkCompleteness(member: SimMember, term: number): void {
    const { log } = member;
    for (const { entry, seenInTerm } of this.#committed.values()) {
      if (seenInTerm >= term || entry.index <= (log.snapshot?.index ?? 0)) continue;
      check(
        log.termAt(entry.index) === entry.term,
        `leader completeness: ${member.id} leads term ${term} without ${entryText(entry)}`,
      );
    }
  }

  #checkMatching(a: SimMember, b: SimMember): void {
    let isAgreed = false;
    for (let index = Math.min(a.log.lastIndex, b.log.lastIndex); index > 0; index--) {
      const termOfA = a.log.termAt(index);
      const termOfB = b.log.termAt(index);
      if (termOfA === undefined || termOfB === undefined) continue;
      if (termOfA === termOfB) isAgreed = true;
      check(
        !isAgreed || termOfA === termOfB,
        `log matching: ${a.id} has ${termOfA}/${index}, ${b.id} ${termOfB}/${index}, and they agree later`,
      );
    }
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
