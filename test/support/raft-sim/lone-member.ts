import type { ConfState, Entry, HardState, Message, RaftId } from "../../../raft-ts/index.ts";
import { SimMember, type SimMemberOptions } from "./sim-member.ts";
import { NO_OBSERVER } from "./sim-network.ts";

export const ELECTION_TICKS = 10;

/** A message without what is always the same: to the member under test, from a peer. */
export type Incoming = Message extends infer M
  ? M extends Message
    ? Omit<M, "to">
    : never
  : never;

export interface LoneMemberOptions {
  readonly id?: RaftId;
  /** Default: 1, 2 and 3 vote. */
  readonly conf?: Partial<ConfState>;
  /** The terms of the entries 1, 2, 3… */
  readonly log?: readonly number[];
  readonly hardState?: Partial<HardState>;
  readonly random?: () => number;
  readonly limits?: NonNullable<SimMemberOptions["limits"]>;
}

/** One member, and a test that plays all its peers. */
export class LoneMember {
  readonly id: RaftId;
  readonly #member: SimMember;

  constructor(options: LoneMemberOptions = {}) {
    const { id = 1, conf = {}, log = [], hardState = {}, random, limits = {} } = options;
    this.id = id;
    const confState: ConfState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], ...conf };
    this.#member = new SimMember({
      id,
      stored: {
        hardState: { term: log.at(-1) ?? 0, vote: 0, commit: 0, ...hardState },
        snapshot: { index: 0, term: 0, confState },
        entries: entriesOf(log),
      },
      electionTicks: ELECTION_TICKS,
      random: random ?? (() => 0),
      observer: NO_OBSERVER,
      limits,
    });
  }

  get sim(): SimMember {
    return this.#member;
  }

  get node(): SimMember["node"] {
    return this.#member.node;
  }

  /** The terms of its entries. */
  get terms(): number[] {
    return this.#member.log.entries.map((entry) => entry.term);
  }

  /** The data applied, in order; empty entries left out. */
  get applied(): string[] {
    return this.#member.applied.map(({ data }) => new TextDecoder().decode(data)).filter(Boolean);
  }

  /** Gives it a message, writes, and returns what it answers. */
  receive(message: Incoming): Message[] {
    this.#member.step({ message: { ...message, to: this.id } as Message, state: [] });
    return this.settle();
  }

  /** Does and writes everything there is to do. @returns what it sends. */
  settle(): Message[] {
    const messages: Message[] = [];
    for (;;) {
      messages.push(...this.unwritten());
      if (this.#member.unflushed === 0) return messages;
      this.#member.flush();
    }
  }

  /** What it sends before anything is written. */
  unwritten(): Message[] {
    return this.#member.work().map((parcel) => parcel.message);
  }

  /** @returns what it sends in `count` ticks. */
  tick(count = 1): Message[] {
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) {
      this.node.tick();
      messages.push(...this.settle());
    }
    return messages;
  }

  propose(...data: string[]): Message[] {
    for (const text of data) this.node.propose(new TextEncoder().encode(text));
    return this.settle();
  }

  /** Elects it by the votes of all its peers. @returns what it sends as a new leader. */
  elect(): Message[] {
    this.node.campaign();
    const asked = this.settle().filter(({ kind }) => kind === "preVote");
    const requests = asked.flatMap(({ to: from, term }) =>
      this.receive({ kind: "preVoteReply", from, term, granted: true }),
    );
    return requests
      .filter(({ kind }) => kind === "vote")
      .flatMap(({ to: from, term }) =>
        this.receive({ kind: "voteReply", from, term, granted: true }),
      );
  }

  /** `from` has all entries up to `index`. */
  acknowledge(from: RaftId, index: number): Message[] {
    const { term } = this.node.leadership();
    const accepted = { kind: "appendReply", accepted: true, hintIndex: 0, hintTerm: 0 } as const;
    return this.receive({ ...accepted, from, term, index });
  }

  restart(): void {
    this.#member.crash();
    this.#member.restart();
    this.settle();
  }
}

/** Entries 1, 2, 3… of these terms; each carries its place. */
export function entriesOf(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, i) => ({
    index: first + i,
    term,
    kind: "normal",
    data: new TextEncoder().encode(`${term}/${first + i}`),
  }));
}

/** Those of one kind. */
export function ofKind<K extends Message["kind"]>(
  messages: readonly Message[],
  kind: K,
): (Message & { readonly kind: K })[] {
  return messages.filter((message): message is Message & { readonly kind: K } => {
    return message.kind === kind;
  });
}
