import type {
  Accepted,
  ConfChange,
  ConfState,
  Entry,
  Leadership,
  Message,
  Proposed,
  RaftId,
  RaftOptions,
  Ready,
  Refusal,
  SnapshotMeta,
  Status,
  StoredState,
} from "./types.ts";

/** The API others write against; the body follows in the next commits. */
export declare class RaftNode {
  constructor(options: RaftOptions, stored: StoredState);

  /** One unit of time has passed. */
  tick(): void;
  /** Takes a message from a peer. Anything a network does to messages is allowed: loss, repetition, disorder. */
  step(message: Message): void;
  /** Appends `data` to the log. Leader only. The bytes belong to the node from here on. */
  propose(data: Uint8Array): Proposed | Refusal;
  /** Leader only; at most one change may be unapplied. */
  proposeConfChange(change: ConfChange): Proposed | Refusal;
  /** Asks for a linearizable read: `context` comes back in `Ready.reads`, or in `Ready.lostReads`. Leader only. */
  readIndex(context: number): Accepted | Refusal;
  /** Hands leadership to the voter `to`; given up after an election timeout. Shows in `leadership()`. Leader only. */
  transferLeadership(to: RaftId): Accepted | Refusal;
  /** Stands for election now, without waiting for the timeout (asks for pre-votes first). Does nothing when not a voter. */
  campaign(): void;

  /** What to do next, or undefined. Call after every other call, until undefined. */
  takeReady(): Ready | undefined;
  /** Everything to be written of the Readys up to `readyId` is durable. */
  stabledTo(readyId: number): void;
  /** Everything up to `index` has been applied (a restored snapshot counts). */
  appliedTo(index: number): void;
  /** Puts a committed `confChange` entry into effect; call in order, before `appliedTo` passes it. */
  applyConfChange(entry: Entry): ConfState;

  /** Of the state as applied now: what a snapshot taken now must be labelled with. */
  describeSnapshot(): SnapshotMeta;
  /**
   * The shell holds `snapshot` durably: it is offered to peers who lag, and entries before `snapshot.index - keepEntries`
   * are forgotten. Keeping some spares a peer that is a little behind the whole snapshot.
   */
  compact(snapshot: SnapshotMeta, keepEntries: number): void;

  /** Messages to `id` are not arriving: stop pipelining, probe. */
  reportUnreachable(id: RaftId): void;
  /** The transfer of a snapshot to `id` ended; without this call the peer stays in `snapshot`. */
  reportSnapshot(id: RaftId, ok: boolean): void;

  leadership(): Leadership;
  status(): Status;
}
