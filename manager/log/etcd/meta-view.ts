import { EtcdHead, EtcdSnapshot } from "../../../proto/gen/etcd.ts";
import { RaftMember } from "../../../proto/gen/raft.ts";
import { EMPTY_MEMBERS, type MemberTable, withMember } from "../members.ts";
import type { Member } from "../replicated-log.ts";
import type { KeyEvent, KeyValue } from "./etcd-kv.ts";
import type { Keys } from "./keys.ts";

/** How far the log goes. */
export interface Head {
  readonly index: number;
  /** What the next record must find unchanged. */
  readonly modRevision: number;
}

/** Who leads, and since when: the revision at which its candidacy began, which only rises. */
export interface Candidate {
  readonly raftId: number;
  readonly term: number;
}

/** What is below `meta/`, told apart. */
export interface Meta {
  /** Undefined: there is no such log. */
  readonly head: Head | undefined;
  /** The oldest first: it leads. */
  readonly candidates: readonly Candidate[];
  readonly members: MemberTable;
  /** Who has caught up and is reached, and the node each says it is. */
  readonly present: ReadonlyMap<number, string>;
  /** The newest first. */
  readonly snapshots: readonly EtcdSnapshot[];
}

/**
 * This member's copy of all that is below `meta/`, as of the newest look or event.
 *
 * Invariant: of each key the newest version told is kept, in whatever order looks, events and own writes come in.
 */
export class MetaView {
  readonly #keys: Keys;
  readonly #entries = new Map<string, KeyValue>();
  /** When keys went that a look under way may still see. */
  readonly #removedAt = new Map<string, number>();
  /** Events up to here say nothing new. */
  #lookedAt = 0;
  #meta: Meta | undefined;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  get meta(): Meta {
    this.#meta ??= readMeta(this.#keys, this.#entries.values());
    return this.#meta;
  }

  /** All there is at `revision`; a look older than the one before says nothing. */
  replace(entries: readonly KeyValue[], revision: number): void {
    if (revision < this.#lookedAt) return;
    const newer = [...this.#entries.values()].filter(({ modRevision }) => modRevision > revision);
    for (const [key, at] of this.#removedAt) if (at <= revision) this.#removedAt.delete(key);
    this.#entries.clear();
    for (const entry of [...entries, ...newer]) {
      if (!this.#removedAt.has(entry.key)) this.#entries.set(entry.key, entry);
    }
    this.#lookedAt = revision;
    this.#meta = undefined;
  }

  /** What happened to one key. */
  apply(event: KeyEvent): void {
    const { key, modRevision } = event.kind === "put" ? event.entry : event;
    if (modRevision <= this.#lookedAt) return;
    const known = this.#entries.get(key)?.modRevision ?? this.#removedAt.get(key) ?? 0;
    if (modRevision < known) return;
    this.#entries.delete(key);
    this.#removedAt.delete(key);
    if (event.kind === "put") this.#entries.set(key, event.entry);
    else this.#removedAt.set(key, modRevision);
    this.#meta = undefined;
  }
}

function readMeta(keys: Keys, entries: Iterable<KeyValue>): Meta {
  let head: Head | undefined;
  let members: MemberTable = EMPTY_MEMBERS;
  const removed: number[] = [];
  const candidates: Candidate[] = [];
  const present = new Map<number, string>();
  const snapshots: EtcdSnapshot[] = [];
  for (const { key, value, createRevision, modRevision } of entries) {
    const parsed = keys.parseMeta(key);
    if (parsed === undefined) continue;
    if (parsed.kind === "head") head = { index: EtcdHead.decode(value).index, modRevision };
    else if (parsed.kind === "candidate") {
      candidates.push({ raftId: parsed.number, term: createRevision });
    } else if (parsed.kind === "member") members = withMember(members, decodeMember(value));
    else if (parsed.kind === "removed") removed.push(parsed.number);
    else if (parsed.kind === "present") {
      present.set(parsed.number, Buffer.from(value).toString());
    } else snapshots.push(EtcdSnapshot.decode(value));
  }
  return {
    head,
    candidates: candidates.sort((a, b) => a.term - b.term),
    members: { members: members.members, removed },
    present,
    snapshots: snapshots.sort((a, b) => b.index - a.index),
  };
}

function decodeMember(value: Uint8Array): Member {
  const { raftId, nodeId, addr, learner } = RaftMember.decode(value);
  return { raftId, nodeId, addr, learner };
}
