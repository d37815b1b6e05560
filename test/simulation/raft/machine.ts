import type { Clock } from "../../../core/clock.ts";
import { errorMessage } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import { type Random, seededRandom } from "../../../core/random.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../../../manager/log/disk/memory-disk.ts";
import { openRaftLog } from "../../../manager/log/raft-log.ts";
import type { Member, ReplicatedLog } from "../../../manager/log/replicated-log.ts";
import { HashedState, type History } from "./history.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Small, so that a short run sees segments roll, snapshots and purges. */
const SEGMENT_BYTES = 4096;
const SNAPSHOT_INTERVAL = 24;
const ENTRIES_KEPT = 6;
const DISK_DELAY_MS = 1;

/** What machines share. */
export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly history: History;
  readonly disks: DiskKind;
}

/**
 * What a disk is after a power cut: `honest` ones have what was synced. The others are broken on purpose, and the
 * simulation must find out: `lying` ones lost it, `old` ones are as they were at `backUp`, as when somebody put a backup in
 * place of a lost disk.
 */
export type DiskKind = "honest" | "lying" | "old";

/** One manager's machine: it can lose its power, be paused, and have a slow disk. */
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
  diskDelayMs = DISK_DELAY_MS;

  constructor(world: World, raftId: number) {
    this.#world = world;
    this.#random = seededRandom(world.random.next() * 2 ** 32);
    this.#drift = 0.9 + this.#random.next() * 0.2;
    this.#disk = new MemoryDisk(this.#diskOptions());
    this.#state = new HashedState(raftId, world.history);
    this.member = { raftId, nodeId: `node-${raftId}`, addr: `10.0.0.${raftId}:4242` };
  }

  get isOn(): boolean {
    return this.#isOn;
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
      onFatal: (error) => history.violate(`machine ${raftId} stopped: ${errorMessage(error)}`),
      snapshotInterval: SNAPSHOT_INTERVAL,
      entriesKept: ENTRIES_KEPT,
      segmentBytes: SEGMENT_BYTES,
      disk: this.#disk,
    }).then(
      (log) => {
        this.#hasBooted = true;
        this.#log = log;
      },
      (error) => history.violate(`machine ${raftId} cannot start: ${errorMessage(error)}`),
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
    this.diskDelayMs = DISK_DELAY_MS;
    const after = this.#disk.crash(this.#random, this.#diskOptions());
    this.#disk = this.#world.disks === "old" ? (this.#backup?.copy() ?? after) : after;
  }

  /** Nothing happens on it for a while, as when the process is stopped. */
  pause(durationMs: number): void {
    this.#pausedUntilMs = this.#world.time.monotonicMs() + durationMs;
  }

  /** Ends a pause and a slow disk. */
  recover(): void {
    this.#pausedUntilMs = 0;
    this.diskDelayMs = DISK_DELAY_MS;
  }

  /** Runs `fn` on this machine: when its pause is over, unless it is off. */
  run(fn: () => void): void {
    this.#runIn(this.#life, fn);
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
      nowMs: () => time.nowMs(),
      monotonicMs: () => time.monotonicMs(),
      after: (delayMs, fn) => time.after(delayMs * this.#drift, () => this.#runIn(life, fn)),
    };
  }

  #diskOptions(): MemoryDiskOptions {
    const delay = (): Promise<void> => {
      const life = this.#life;
      const delayMs = this.#random.next() * this.diskDelayMs;
      return new Promise((resolve) => {
        this.#world.time.after(delayMs, () => this.#runIn(life, resolve));
      });
    };
    return { delay, syncsLie: this.#world.disks === "lying" };
  }
}
