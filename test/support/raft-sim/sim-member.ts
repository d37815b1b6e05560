import {
  type Entry,
  type LeaseOptions,
  type Message,
  RaftNode,
  type Ready,
  type StoredState,
} from "../../../raft-ts/index.ts";
import { StoredLog } from "./stored-log.ts";

/** What a snapshot carries: everything applied, in order. */
export type AppState = readonly Entry[];

/** A message under way; a snapshot travels with its content. */
export interface Parcel {
  readonly message: Message;
  readonly state: AppState | undefined;
}

/** Told of what the safety rules are about. */
export interface MemberObserver {
  onApply(member: SimMember, entry: Entry): void;
  onRead(member: SimMember, context: number, index: number): void;
}

export interface SimMemberOptions {
  readonly id: number;
  readonly stored: StoredState;
  readonly electionTicks: number;
  readonly random: () => number;
  readonly observer: MemberObserver;
  /** Small windows make their edges common. */
  readonly limits?: {
    readonly inflightMax?: number;
    readonly appendBytesMax?: number;
    readonly lazyCommit?: boolean;
    readonly lease?: LeaseOptions;
  };
}

/**
 * A member with a disk whose writes become durable when {@link flush} is called, and not before: the shell of
 * {@link RaftNode} as its documentation asks for it, without waiting for anything.
 */
export class SimMember {
  readonly id: number;
  readonly #options: SimMemberOptions;
  #node: RaftNode;
  /** What a crash leaves. */
  #durable: StoredLog;
  /** What the member believes it wrote. */
  #written: StoredLog;
  #unflushed: Ready[] = [];
  #applied: Entry[] = [];
  #saved: { readonly index: number; readonly state: AppState } | undefined;
  readonly #received = new Map<number, AppState>();
  isUp = true;

  constructor(options: SimMemberOptions) {
    this.id = options.id;
    this.#options = options;
    this.#durable = new StoredLog(options.stored);
    this.#written = this.#durable.copy();
    this.#node = this.#makeNode();
  }

  get node(): RaftNode {
    return this.#node;
  }

  /** Durable and not: the log as the node sees it. */
  get log(): StoredLog {
    return this.#written;
  }

  get durable(): StoredLog {
    return this.#durable;
  }

  /** Everything applied, from the first entry of all. */
  get applied(): readonly Entry[] {
    return this.#applied;
  }

  get unflushed(): number {
    return this.#unflushed.length;
  }

  step({ message, state }: Parcel): void {
    if (message.kind === "snapshot" && state !== undefined) {
      this.#received.set(message.snapshot.index, state);
    }
    this.#node.step(message);
  }

  /** Carries out every Ready there is, except the flush. @returns what is to be sent. */
  work(): Parcel[] {
    const parcels: Parcel[] = [];
    for (let ready = this.#node.takeReady(); ready; ready = this.#node.takeReady()) {
      this.#written.write(ready);
      this.#unflushed.push(ready);
      for (const message of ready.messages) parcels.push(this.#pack(message));
      if (ready.snapshot !== undefined) this.#restore(ready.snapshot.index);
      for (const entry of ready.committed) this.#apply(entry);
      for (const { context, index } of ready.reads) {
        this.#options.observer.onRead(this, context, index);
      }
    }
    return parcels;
  }

  /** The oldest `count` writes reach the disk. */
  flush(count = this.#unflushed.length): void {
    const flushed = this.#unflushed.splice(0, count);
    for (const ready of flushed) {
      if (ready.snapshot !== undefined) this.#saveReceived(ready.snapshot.index);
      this.#durable.write(ready);
    }
    const last = flushed.at(-1);
    if (last !== undefined) this.#node.stabledTo(last.id);
  }

  /** Saves the state as applied now; not while a received snapshot is still on its way to the disk. */
  snapshot(keepEntries: number): void {
    if (this.#unflushed.some((ready) => ready.snapshot !== undefined)) return;
    const meta = this.#node.describeSnapshot();
    if (meta.index <= (this.#durable.snapshot?.index ?? 0)) return;
    this.#saved = { index: meta.index, state: [...this.#applied] };
    this.#durable.save(meta, keepEntries);
    this.#written.save(meta, keepEntries);
    this.#node.compact(meta, keepEntries);
  }

  /** Loses what was not flushed. */
  crash(): void {
    this.isUp = false;
    this.#unflushed = [];
    this.#received.clear();
  }

  restart(): void {
    this.#written = this.#durable.copy();
    const index = this.#durable.snapshot?.index ?? 0;
    this.#applied = index === 0 ? [] : [...this.#stateAt(index)];
    this.#node = this.#makeNode();
    this.isUp = true;
  }

  #makeNode(): RaftNode {
    const { id, electionTicks, random, limits } = this.#options;
    return new RaftNode(
      { id, electionTicks, heartbeatTicks: 1, random, ...limits },
      this.#durable.toState(),
    );
  }

  #pack(message: Message): Parcel {
    const state = message.kind === "snapshot" ? this.#stateAt(message.snapshot.index) : undefined;
    return { message, state };
  }

  #stateAt(index: number): AppState {
    const state = this.#saved?.index === index ? this.#saved.state : this.#received.get(index);
    if (state === undefined) throw new Error(`member ${this.id} has no snapshot ${index}`);
    return state;
  }

  #saveReceived(index: number): void {
    this.#saved = { index, state: this.#stateAt(index) };
    for (const older of this.#received.keys()) if (older <= index) this.#received.delete(older);
  }

  #restore(index: number): void {
    this.#applied = [...this.#stateAt(index)];
    this.#node.appliedTo(index);
  }

  #apply(entry: Entry): void {
    this.#options.observer.onApply(this, entry);
    this.#applied.push(entry);
    if (entry.kind === "confChange") this.#node.applyConfChange(entry);
    this.#node.appliedTo(entry.index);
  }
}
