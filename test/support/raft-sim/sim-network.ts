import { emptyState, type Message } from "../../../raft-ts/index.ts";
import {
  type MemberObserver,
  type Parcel,
  SimMember,
  type SimMemberOptions,
} from "./sim-member.ts";

/** Enough for any script; more means two members answer each other for ever. */
const DELIVERIES_MAX = 100_000;

/** Members joined by a network that delivers when told, in the order told, to whom the links allow. */
export class SimNetwork {
  readonly members = new Map<number, SimMember>();
  /** Under way, oldest first. */
  readonly parcels: Parcel[] = [];
  /** The one clock there is: how often all ticked together. */
  ticks = 0;
  readonly #cut = new Set<string>();
  #drops: (message: Message) => boolean = () => false;
  /** Sees each message as it is delivered. */
  onDeliver: (message: Message) => void = () => {};

  add(options: SimMemberOptions): SimMember {
    const member = new SimMember(options);
    this.members.set(options.id, member);
    return member;
  }

  /** A member that knows nothing yet. */
  addNewcomer(options: Omit<SimMemberOptions, "stored">): SimMember {
    return this.add({ ...options, stored: emptyState() });
  }

  /** @throws {Error} when there is none. */
  get(id: number): SimMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  get up(): SimMember[] {
    return [...this.members.values()].filter((member) => member.isUp);
  }

  /** Those who think they lead; of the highest term first. */
  get leaders(): SimMember[] {
    return this.up
      .filter((member) => member.node.leadership().role === "leader")
      .sort((a, b) => b.node.leadership().term - a.node.leadership().term);
  }

  /** Cuts every link between the two groups. */
  partition(some: readonly number[], others: readonly number[]): void {
    for (const a of some) {
      for (const b of others) {
        this.#cut.add(`${a}-${b}`);
        this.#cut.add(`${b}-${a}`);
      }
    }
  }

  isolate(id: number): void {
    this.partition(
      [id],
      [...this.members.keys()].filter((other) => other !== id),
    );
  }

  /** Loses what `drops` says, on whatever link. */
  drop(drops: (message: Message) => boolean): void {
    this.#drops = drops;
  }

  heal(): void {
    this.#cut.clear();
    this.#drops = () => false;
  }

  tick(): void {
    this.ticks++;
    for (const member of this.up) member.node.tick();
  }

  /** Everybody does what is to be done; nothing is delivered. */
  work(): void {
    for (const member of this.up) this.parcels.push(...member.work());
  }

  /** Delivers one parcel, if its link and its receiver are up. A snapshot's sender learns how that went. */
  deliver(parcel: Parcel): void {
    const { message } = parcel;
    const receiver = this.members.get(message.to);
    const isLost =
      receiver?.isUp !== true ||
      this.#cut.has(`${message.from}-${message.to}`) ||
      this.#drops(message);
    if (isLost) {
      this.lose(parcel);
      return;
    }
    this.onDeliver(message);
    receiver.step(parcel);
    this.#report(message, true);
  }

  /** The receiver never sees it; the sender of a snapshot notices. */
  lose({ message }: Parcel): void {
    this.#report(message, false);
  }

  #report(message: Message, ok: boolean): void {
    if (message.kind !== "snapshot") return;
    this.members.get(message.from)?.node.reportSnapshot(message.to, ok);
  }

  /** Works, flushes and delivers until nobody has anything to do. */
  stabilize(): void {
    for (let i = 0; i < DELIVERIES_MAX; i++) {
      this.work();
      for (const member of this.up) member.flush();
      this.work();
      const parcel = this.parcels.shift();
      if (parcel !== undefined) this.deliver(parcel);
      else if (this.up.every((member) => member.unflushed === 0)) return;
    }
    throw new Error(`the network did not come to rest within ${DELIVERIES_MAX} deliveries`);
  }
}

/** For tests that look at the members themselves. */
export const NO_OBSERVER: MemberObserver = { onApply: () => {}, onRead: () => {} };
