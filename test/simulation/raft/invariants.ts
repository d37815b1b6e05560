import { crc32 } from "node:zlib";
import { RaftNode } from "../../../raft-ts/index.ts";
import { RaftLog } from "../../../raft-ts/log.ts";
import type { Entry, Message, Ready } from "../../../raft-ts/types.ts";

const { takeReady } = RaftNode.prototype;
const { slice } = RaftLog.prototype;

/** Lets `observer` see every Ready of every node of this process; the returned function ends that. */
export function observeReadys(observer: (node: RaftNode, ready: Ready) => void): () => void {
  RaftNode.prototype.takeReady = function observed(this: RaftNode): Ready | undefined {
    const ready = takeReady.call(this);
    if (ready !== undefined) observer(this, ready);
    return ready;
  };
  return () => {
    RaftNode.prototype.takeReady = takeReady;
  };
}

/** Makes every append carry at most so many bytes of entries; the returned function ends that. */
export function narrowAppends(bytesMax: number): () => void {
  RaftLog.prototype.slice = function narrowed(this: RaftLog, from, bytes): Entry[] {
    return slice.call(this, from, Math.min(bytes, bytesMax));
  };
  return () => {
    RaftLog.prototype.slice = slice;
  };
}

interface KnownEntry {
  readonly hash: number;
  readonly termBefore: number;
}

interface Committed {
  readonly term: number;
  readonly hash: number;
  /** Of whoever was first known to have it committed. */
  readonly seenInTerm: number;
}

type Append = Extract<Message, { readonly kind: "append" }>;

/**
 * The eight promises of Raft, checked on all that every member decides and says. Names are the paper's (Figure 3) where it
 * has one.
 */
export class RaftInvariants {
  readonly #violate: (what: string) => void;
  readonly #leaders = new Map<number, number>();
  readonly #votes = new Map<string, number>();
  readonly #entries = new Map<string, KnownEntry>();
  /** Term of each entry in the log of the leader of a term, as far as it was told. */
  readonly #logs = new Map<number, Map<number, number>>();
  readonly #committed = new Map<number, Committed>();
  readonly #promisedTerms = new Map<number, number>();
  readonly #commits = new WeakMap<RaftNode, number>();
  #maxCommit = 0;
  /** Told of every vote given away. */
  onVoted: (voter: number) => void = () => undefined;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  /** Terms somebody led in. */
  get terms(): number {
    return this.#leaders.size;
  }

  onReady(node: RaftNode, ready: Ready): void {
    const { id } = node.status();
    const { role, term } = node.leadership();
    if (role === "leader") this.#onLeads(node, id, term);
    if (ready.hardState !== undefined) this.#onHardState(node, id, ready);
    for (const entry of ready.committed) this.#onCommitted(id, term, entry);
    for (const message of ready.messages) this.#onSaid(message);
  }

  /** ElectionSafety: at most one leader is elected in a term. */
  #onLeads(node: RaftNode, id: number, term: number): void {
    const known = this.#leaders.get(term);
    if (known === id) return;
    this.#leaders.set(term, id);
    if (known !== undefined) {
      this.#violate(`ElectionSafety: ${known} and ${id} both lead in term ${term}`);
      return;
    }
    this.#checkCompleteness(node.status().lastIndex, id, term);
  }

  /** LeaderCompleteness, by length: what was committed in an earlier term is in the log of every later leader. */
  #checkCompleteness(lastIndex: number, id: number, term: number): void {
    for (const [index, { seenInTerm }] of this.#committed) {
      if (index <= lastIndex || seenInTerm >= term) continue;
      this.#violate(
        `LeaderCompleteness: ${id} leads in term ${term} with a log up to ${lastIndex}; ${index} was committed in term ${seenInTerm}`,
      );
      return;
    }
  }

  /** CommitOwnTerm (§5.4.2), and the commit half of TermAndCommitRise. */
  #onHardState(node: RaftNode, id: number, { hardState, committed }: Ready): void {
    const commit = hardState?.commit ?? 0;
    const { role, term } = node.leadership();
    const before = this.#commits.get(node) ?? 0;
    this.#commits.set(node, commit);
    if (commit < before) {
      this.#violate(`TermAndCommitRise: ${id} takes its commit back from ${before} to ${commit}`);
    }
    if (commit <= this.#maxCommit) return;
    this.#maxCommit = commit;
    const last = committed.at(-1);
    if (role !== "leader" || last?.index !== commit || last.term === term) return;
    this.#violate(
      `CommitOwnTerm: ${id} leads in term ${term} and commits up to ${commit}, an entry of term ${last.term}`,
    );
  }

  /** StateMachineSafety: no two members apply different entries at one index. */
  #onCommitted(id: number, seenInTerm: number, { index, term, data }: Entry): void {
    const hash = crc32(data);
    const known = this.#committed.get(index);
    if (known === undefined) {
      this.#committed.set(index, { term, hash, seenInTerm });
      return;
    }
    if (known.term === term && known.hash === hash) return;
    this.#violate(
      `StateMachineSafety: ${id} commits an entry of term ${term} at ${index}, another one of term ${known.term}`,
    );
  }

  #onSaid(message: Message): void {
    switch (message.kind) {
      case "vote":
        this.#onVote(message.from, message.from, message.term);
        break;
      case "voteReply":
        if (!message.granted) break;
        this.#onVote(message.from, message.to, message.term);
        this.onVoted(message.from);
        break;
      case "append":
        this.#onPromise(message.from, message.term);
        this.#onAppend(message);
        break;
      case "appendReply":
        if (message.accepted) this.#onPromise(message.from, message.term);
        break;
      default:
        break;
    }
  }

  /** VotesPersist: a member gives one vote in a term, whatever it forgot in between. */
  #onVote(voter: number, candidate: number, term: number): void {
    this.#onPromise(voter, term);
    const key = `${voter}/${term}`;
    const known = this.#votes.get(key) ?? candidate;
    this.#votes.set(key, known);
    if (known !== candidate) {
      this.#violate(
        `VotesPersist: ${voter} votes for ${known} and for ${candidate} in term ${term}`,
      );
    }
  }

  /** The term half of TermAndCommitRise: nobody goes back behind a term it promised anything in. */
  #onPromise(member: number, term: number): void {
    const known = this.#promisedTerms.get(member) ?? 0;
    if (term < known) {
      this.#violate(`TermAndCommitRise: ${member} goes back from term ${known} to ${term}`);
    }
    this.#promisedTerms.set(member, Math.max(known, term));
  }

  #onAppend({ from, term, prevIndex, prevTerm, entries }: Append): void {
    this.#onLogOf(from, term, prevIndex, prevTerm);
    let termBefore = prevTerm;
    for (const entry of entries) {
      this.#onLogOf(from, term, entry.index, entry.term);
      this.#checkMatching(entry, termBefore);
      termBefore = entry.term;
    }
  }

  /** LeaderAppendOnly: a leader never changes an entry of its log; and LeaderCompleteness, by entry. */
  #onLogOf(leader: number, term: number, index: number, entryTerm: number): void {
    if (index === 0) return;
    const log = this.#logs.get(term) ?? new Map<number, number>();
    this.#logs.set(term, log);
    const known = log.get(index) ?? entryTerm;
    log.set(index, known);
    if (known !== entryTerm) {
      this.#violate(
        `LeaderAppendOnly: the log of ${leader} in term ${term} has terms ${known} and ${entryTerm} at ${index}`,
      );
    }
    const committed = this.#committed.get(index);
    if (committed === undefined || committed.seenInTerm >= term) return;
    if (committed.term !== entryTerm) {
      this.#violate(
        `LeaderCompleteness: ${leader} leads in term ${term} with term ${entryTerm} at ${index}, committed was term ${committed.term}`,
      );
    }
  }

  /** LogMatching: entries of one index and term are the same, and so is everything before them. */
  #checkMatching({ index, term, data }: Entry, termBefore: number): void {
    const key = `${index}/${term}`;
    const hash = crc32(data);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { hash, termBefore });
      return;
    }
    if (known.hash !== hash || known.termBefore !== termBefore) {
      this.#violate(
        `LogMatching: there are two entries of term ${term} at ${index}, or two before`,
      );
    }
  }
}
