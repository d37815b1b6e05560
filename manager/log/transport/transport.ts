import type { Message } from "../../../raft-ts/types.ts";
import type { MemberTable } from "../members.ts";
import type { Member } from "../replicated-log.ts";
import type { SnapshotHeader } from "../snapshot/snapshot-frame.ts";

/**
 * How members reach each other. Nothing is promised about messages: they may be lost, repeated and disordered. Versions:
 * gRPC, and a memory network for tests and the simulation.
 */
export interface Transport {
  /** Gives what arrives to `receiver` from now on. Once. */
  start(receiver: Receiver): void;
  /** Who can be sent to, and where; connections to others end. */
  setMembers(table: MemberTable): void;
  /** Tells every member where this one is, if it may not know: called now and then while no leader is heard of. */
  announce(): void;
  /** Never waits: past a bound the oldest messages are dropped, and the receiver is told that the peer is unreachable. */
  send(message: Message): void;
  /**
   * Sends the parts of `message`'s snapshot before it.
   *
   * Resolves once the peer has them on its disk and was given the message; rejects when that failed or took too long.
   */
  sendSnapshot(message: SnapshotMessage, snapshot: SnapshotSource): Promise<void>;
  close(): Promise<void>;
}

/** The message that offers a snapshot. */
export type SnapshotMessage = Extract<Message, { kind: "snapshot" }>;

/** A snapshot to send: its parts are read as they can be sent. */
export interface SnapshotSource {
  readonly header: SnapshotHeader;
  parts(): AsyncIterable<Uint8Array>;
}

/** The member behind a transport. Calls return at once; nothing is done inside them. */
export interface Receiver {
  onMessage(message: Message): void;
  /** Resolves once the snapshot is durable; rejects when it is cut, refused or the disk fails. */
  onSnapshot(message: SnapshotMessage, snapshot: SnapshotSource): Promise<void>;
  onUnreachable(raftId: number): void;
  /** A member said where it is now. */
  onHello(member: Member): void;
  /** Another member says that the group goes on without this one, for good. */
  onExpelled(notice: Expulsion): void;
}

/** What a member is told that was taken out of its group, or whose whole group was replaced by a recovery. */
export interface Expulsion {
  /** Of the group that says so: `Cluster.generation`. */
  readonly generation: number;
  readonly reason: string;
}
