import type { Clock } from "../../../core/clock.ts";
import { errorCode, errorMessage } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import { type Random, randomInt, seededRandom } from "../../../core/random.ts";
import {
  type DiskCall,
  MemoryDisk,
  type MemoryDiskOptions,
} from "../../../manager/log/disk/memory-disk.ts";
import { openRaftLog } from "../../../manager/log/raft-log.ts";
import type { Member, ReplicatedLog } from "../../../manager/log/replicated-log.ts";
import { SEGMENT_HEADER_BYTES } from "../../../manager/log/wal/segment.ts";
import { HashedState, type History } from "./history.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Small, so that a short run sees segments roll, snapshots and purges. */
const SEGMENT_BYTES = 4096;
const SNAPSHOT_INTERVAL = 24;
const ENTRIES_KEPT = 6;
const DISK_DELAY_MS = 1;
/** Clocks differ by so much at most, up and down. */
const DRIFT = 0.1;
/** Longest a machine is off after it stopped by itself. */
const REPAIR_MAX_MS = 1500;

/** What machines share. */
export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly history: History;
  readonly disks: DiskKind;
  readonly leases: Leases;
  /** Given out so far: none is given twice. */
  raftIds: number;
  /** Those who vote next crash as soon as they have, and come back at once. */
  votersToCrash: number;
}

/**
 * What a disk is after a power cut: `honest` ones have what was synced. The others are broken on purpose, and the
 * simulation must find out: `lying` ones lost it (fsync is off), `old` ones are as they were at `backUp`, as when somebody
 * put a backup in place of a lost disk.
 */
export type DiskKind = "honest" | "lying" | "old";

/**
 * Whether reads go by the leader's lease. `drifting`: by clocks that differ by more than the lease allows; the simulation
 * must find that out.
 */
export type Leases = "none" | "held" | "drifting";

/** Of the first machine, which leads at first, and of the others: beyond the bound, a factor of one and a half. */
const SLOW = 3;
const FAST = 0.6;

/** One manager's machine: it can lose its power, be paused, and have a disk that is slow, full, failing or damaged. */
export class Machine {
  readonly member: Member;
  readonly #world: World;
  readonly #random: Random;
  /** Its clock is that much slower than the others'. */
  readonly #drift: number;
  #disk: MemoryDisk;
  #backup: MemoryDisk | undefined;
  /** Counts the times it was switched on: what an earlier life began has no effect on a later one. */
  #life = 0;
  #isOn = false;
  #hasBooted = false;
  #pausedUntilMs = 0;
  #log: ReplicatedLog | undefined;
  #state: HashedState;
  /** Disk calls until it crashes in the middle of one. */
  #callsToCrash = Number.POSITIVE_INFINITY;
  #diskErrors: Partial<Record<DiskCall, string>> = {};
  /** What is on its disk was hurt: then, and only then, may it refuse to start. */
  #wasHurt = false;
  #isLost = false;
  /** Its wall clock shows this much more than the others'. */
  wallOffsetMs = 0;
  diskDelayMs = DISK_DELAY_MS;
  diskCalls = 0;
  /** The leader that was asked to have it in the group and has not answered: one that is dead never will. */
  joinsThrough: ReplicatedLog | undefined;
  /** It was asked in vain: this machine's id is of no use any more. */
  isRefused = false;

  constructor(world: World, raftId: number) {
    this.#world = world;
    this.#random = seededRandom(world.random.next() * 2 ** 32);
    this.#drift = 1 - DRIFT + this.#random.next() * 2 * DRIFT;
    if (world.leases === "drifting") this.#drift = raftId === 1 ? SLOW : FAST;
    this.#disk = new MemoryDisk(this.#diskOptions());
    this.#state = new HashedState(raftId, world.history);
    this.member = { raftId, nodeId: `node-${raftId}`, addr: `10.0.0.${raftId}:4242` };
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** It refused its damaged disk: only a new member in its place helps. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Undefined while it is off or still reading its disk. */
  get log(): ReplicatedLog | undefined {
    return this.#isOn ? this.#log : undefined;
  }

  get state(): HashedState {
    return this.#state;
  }

  /** Switches it on. The first machine of all begins the group. */
  boot(): void {
    if (this.#isLost) return;
    const { history, network } = this.#world;
    const { raftId } = this.member;
    const life = ++this.#life;
    this.#isOn = true;
    this.#log = undefined;
    this.#state = new HashedState(raftId, history);
    const first = raftId === 1 ? "bootstrap" : "join";
    openRaftLog({
      dir: "",
      ...this.member,
      start: this.#hasBooted ? "restart" : first,
      stateMachine: this.#state,
      transport: network.network.transport(raftId),
      clock: this.#clock(life),
      random: this.#random,
      log: silentLog,
      onFatal: (error) => this.#onFatal(life, error),
      snapshotInterval: SNAPSHOT_INTERVAL,
      entriesKept: ENTRIES_KEPT,
      segmentBytes: SEGMENT_BYTES,
      disk: this.#disk,
      leaseReads: this.#world.leases !== "none",
    }).then(
      (log) => {
        if (life !== this.#life) return;
        this.#hasBooted = true;
        this.#log = log;
      },
      (error: unknown) => this.#onCannotStart(life, error),
    );
  }

  /** Keeps what is on its disk now. */
  backUp(): void {
    this.#backup = this.#disk.copy();
  }

  /** Takes its power away: un-synced writes are lost or torn. */
  crash(): void {
    this.#life++;
    this.#isOn = false;
    this.#pausedUntilMs = 0;
    this.#mendDisk();
    const after = this.#disk.crash(this.#random, this.#diskOptions());
    this.#disk = this.#world.disks === "old" ? (this.#backup?.copy() ?? after) : after;
  }

  crashFor(durationMs: number): void {
    if (!this.#isOn) return;
    this.crash();
    this.#world.time.after(durationMs, () => {
      if (!this.#isOn) this.boot();
    });
  }

  /** Crashes in the middle of the disk call that comes `calls` later. */
  crashAtCall(calls: number): void {
    this.#callsToCrash = calls;
  }

  /** From now on such calls fail with this errno; it must stop then, and comes back when somebody has seen to it. */
  failDisk(errors: Partial<Record<DiskCall, string>>): void {
    this.#diskErrors = errors;
  }

  /** Flips a bit of what was synced long ago. A torn end is nothing to find out: it looks like a crash while writing. */
  flipBit(): void {
    this.crash();
    const files = [...this.#disk.files()].filter(
      ([name, bytes]) => bytes > 0 && name !== "spare.tmp",
    );
    const [name, bytes] = files[randomInt(this.#random, files.length)] ?? ["", 0];
    if (name === "") return;
    const isLast = name === files.findLast(([other]) => other.endsWith(".wal"))?.[0];
    this.#wasHurt = true;
    this.#disk.flipBit(
      name,
      randomInt(this.#random, 8 * (isLast ? SEGMENT_HEADER_BYTES - 4 : bytes)),
    );
  }

  /** An empty disk in place of its own. */
  loseDisk(): void {
    this.crash();
    this.#wasHurt = true;
    this.#disk = new MemoryDisk(this.#diskOptions());
  }

  /** Nothing happens on it for a while, as when the process is stopped. */
  pause(durationMs: number): void {
    this.#pausedUntilMs = this.#world.time.monotonicMs() + durationMs;
  }

  /** Ends a pause and all trouble with its disk. */
  recover(): void {
    this.#pausedUntilMs = 0;
    this.#mendDisk();
  }

  /** Runs `fn` on this machine: when its pause is over, unless it is off. */
  run(fn: () => void): void {
    this.#runIn(this.#life, fn);
  }

  #mendDisk(): void {
    this.diskDelayMs = DISK_DELAY_MS;
    this.#diskErrors = {};
    this.#callsToCrash = Number.POSITIVE_INFINITY;
  }

  #onFatal(life: number, error: unknown): void {
    if (life !== this.#life) return;
    if (Object.keys(this.#diskErrors).length > 0)
      this.crashFor(this.#random.next() * REPAIR_MAX_MS);
    else
      this.#violate(`KeepsRunning: machine ${this.member.raftId} stopped: ${errorMessage(error)}`);
  }

  #onCannotStart(life: number, error: unknown): void {
    if (life !== this.#life) return;
    const isRefusal = ["DataLoss", "FailedPrecondition"].includes(errorCode(error));
    if (this.#wasHurt && isRefusal) {
      this.crash();
      this.#isLost = true;
    } else if (Object.keys(this.#diskErrors).length > 0) {
      this.crashFor(this.#random.next() * REPAIR_MAX_MS);
    } else {
      this.#violate(
        `StartsAgain: machine ${this.member.raftId} cannot start: ${errorMessage(error)}`,
      );
    }
  }

  #violate(what: string): void {
    this.#world.history.violate(what);
  }

  #runIn(life: number, fn: () => void): void {
    if (!this.#isOn || life !== this.#life) return;
    const { time } = this.#world;
    const leftMs = this.#pausedUntilMs - time.monotonicMs();
    if (leftMs > 0) time.after(leftMs, () => this.#runIn(life, fn));
    else fn();
  }

  #clock(life: number): Clock {
    const { time } = this.#world;
    return {
      nowMs: () => time.nowMs() + this.wallOffsetMs,
      monotonicMs: () => time.monotonicMs() / this.#drift,
      after: (delayMs, fn) => time.after(delayMs * this.#drift, () => this.#runIn(life, fn)),
    };
  }

  #diskOptions(): MemoryDiskOptions {
    const delay = (): Promise<void> => {
      this.diskCalls++;
      if (this.#isOn && --this.#callsToCrash <= 0)
        this.crashFor(this.#random.next() * REPAIR_MAX_MS);
      const life = this.#life;
      const delayMs = this.#random.next() * this.diskDelayMs;
      return new Promise((resolve) => {
        this.#world.time.after(delayMs, () => this.#runIn(life, resolve));
      });
    };
    const fault = (call: DiskCall): Error | undefined => {
      const code = this.#diskErrors[call];
      return code === undefined
        ? undefined
        : Object.assign(new Error(`${code}: ${call}`), { code });
    };
    return { delay, fault, syncsLie: this.#world.disks === "lying" };
  }
}
