import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import {
  type DiskCall,
  MemoryDisk,
  type MemoryDiskOptions,
} from "../../../manager/log/disk/memory-disk.ts";
import { openRaftLog, type RaftLogOptions } from "../../../manager/log/raft-log.ts";
import { Store } from "../../../manager/store/store.ts";
import type { MembershipServer } from "../../../proto/gen/membership.ts";
import { fromRpcError } from "../../../proto/rpc-status.ts";
import { checked } from "./checked-store.ts";
import { ask } from "./remote.ts";
import type { SimHost } from "./sim-host.ts";
import { type SimManager, startManager } from "./sim-manager.ts";
import type { World } from "./world.ts";

const SEGMENT_BYTES = 64 * 1024;
const SNAPSHOT_INTERVAL = 60;
const ENTRIES_KEPT = 20;
const DISK_DELAY_MS = 2;
/** As certificates name the role. */
const MANAGER_OU = "swarm-manager";
/** As the daemon gives it. */
const JOIN_TIMEOUT_MS = 75_000;

export interface ManagerPartOptions {
  readonly nodeId: string;
  readonly addr: string;
  /** Whether the swarm begins here. */
  readonly isFirst: boolean;
  /** host:port of the managers this node knows of. */
  readonly managers: () => readonly string[];
  /** The disk has failed, or the machine is to fail in this call: it must be gone when this returns. */
  readonly onDiskTrouble: (how: { readonly power: boolean }) => void;
  /** The group goes on without this member. */
  readonly onExpelled: () => void;
}

/** A node's part in keeping the swarm: daemon/node/manager-part.ts in this world. */
export class ManagerPart {
  readonly #world: World;
  readonly #host: SimHost;
  readonly #options: ManagerPartOptions;
  #disk: MemoryDisk;
  #raftId = 0;
  #isJoined = false;
  #hasLostLog = false;
  #running: SimManager | undefined;
  #diskErrors: Partial<Record<DiskCall, string>> = {};
  #callsToCrash = Number.POSITIVE_INFINITY;
  diskDelayMs = DISK_DELAY_MS;

  constructor(world: World, host: SimHost, options: ManagerPartOptions) {
    this.#world = world;
    this.#host = host;
    this.#options = options;
    this.#disk = new MemoryDisk();
  }

  /** Undefined while this node is none, or still reads its disk. */
  get running(): SimManager | undefined {
    return this.#running;
  }

  get raftId(): number {
    return this.#raftId;
  }

  get isLeading(): boolean {
    return this.#running?.log.leadership().isLeader === true;
  }

  /** Its daemon is gone. */
  crash(): void {
    this.#running = undefined;
    this.mendDisk();
    this.#disk = this.#disk.crash(this.#host.random, this.#diskOptions());
  }

  /** Crashes with the machine in the middle of the disk call that comes `calls` later. */
  crashAtCall(calls: number): void {
    this.#callsToCrash = calls;
  }

  /** From now on such calls fail with this errno; it must stop then, and comes back when somebody has seen to it. */
  failDisk(errors: Partial<Record<DiskCall, string>>): void {
    this.#diskErrors = errors;
  }

  mendDisk(): void {
    this.diskDelayMs = DISK_DELAY_MS;
    this.#diskErrors = {};
    this.#callsToCrash = Number.POSITIVE_INFINITY;
  }

  /** While its machine is off: an empty disk in place of its own. */
  loseLog(): void {
    this.#disk = new MemoryDisk(this.#diskOptions());
    this.#hasLostLog = true;
  }

  /** Runs as a member of the group, with the log it has or as a newcomer with the others' leave. May be repeated. */
  async run(): Promise<void> {
    if (this.#isJoined && !this.#hasLostLog) {
      this.#running ??= await this.#open("restart");
      return;
    }
    if (this.#raftId === 0 || this.#hasLostLog) {
      this.#raftId = this.#world.newRaftId(this.#host.number);
      this.#isJoined = false;
      this.#hasLostLog = false;
    }
    const isBeginning = this.#options.isFirst && this.#world.latest === undefined;
    this.#running ??= await this.#open(isBeginning ? "bootstrap" : "join");
    if (!isBeginning) await this.#join();
    this.#isJoined = true;
  }

  /** Ends it and forgets its log. Nothing to do when there is none. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.leader.close();
    await running?.log.close();
    if (this.#raftId === 0) return;
    this.#disk = new MemoryDisk(this.#diskOptions());
    this.#raftId = 0;
    this.#isJoined = false;
    this.#hasLostLog = false;
  }

  async #open(start: RaftLogOptions["start"]): Promise<SimManager> {
    const [world, host, raftId] = [this.#world, this.#host, this.#raftId];
    const { nodeId, addr, onExpelled } = this.#options;
    const isAlive = host.aliveness();
    const store = new Store();
    const run = host.daemon();
    try {
      const log = await openRaftLog({
        dir: "",
        ...{ raftId, nodeId, addr, start },
        stateMachine: checked(store, nodeId, world),
        transport: world.network.network.transport(raftId),
        clock: host.clock(),
        random: host.random,
        log: silentLog,
        onFatal: (error) => this.#onFatal(isAlive, "KeepsRunning", error),
        onExpelled: () => run(() => this.#running?.raftId === raftId && onExpelled()),
        snapshotInterval: SNAPSHOT_INTERVAL,
        entriesKept: ENTRIES_KEPT,
        segmentBytes: SEGMENT_BYTES,
        disk: this.#disk,
      });
      if (!isAlive()) return await new Promise(() => undefined);
      return startManager({ world, host, store, log, member: { raftId, nodeId, addr } });
    } catch (error) {
      this.#onFatal(isAlive, "StartsAgain", error);
      return new Promise(() => undefined);
    }
  }

  /** Asks one manager after the other. @throws {ClusterError} when none lets it in. */
  async #join(): Promise<void> {
    const { addr, nodeId, managers } = this.#options;
    const request = { raftId: this.#raftId, addr, generation: 0 };
    const subject = { CN: nodeId, O: this.#world.clusterId };
    let failure: unknown = new ClusterError("Unavailable", "no manager is known");
    for (const manager of managers()) {
      if (manager === addr) continue;
      const to = { addr: manager, timeoutMs: JOIN_TIMEOUT_MS };
      try {
        await ask(this.#world, this.#host, to, ({ manager: { running } }) =>
          running === undefined ? undefined : joinAt(running.membership, subject, request),
        );
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #onFatal(isAlive: () => boolean, promise: string, error: unknown): void {
    if (!isAlive()) return;
    if (Object.keys(this.#diskErrors).length > 0) this.#options.onDiskTrouble({ power: false });
    else this.#world.violate(`${promise}: ${this.#options.nodeId}: ${errorMessage(error)}`);
  }

  #diskOptions(): MemoryDiskOptions {
    const host = this.#host;
    const delay = (): Promise<void> => {
      if (host.isUp && --this.#callsToCrash <= 0) this.#options.onDiskTrouble({ power: true });
      const delayMs = host.random.next() * this.diskDelayMs;
      const run = host.daemon();
      return new Promise((resolve) => {
        this.#world.time.after(delayMs, () => run(resolve));
      });
    };
    const fault = (call: DiskCall): Error | undefined => {
      const code = this.#diskErrors[call];
      if (code === undefined) return undefined;
      return Object.assign(new Error(`${code}: ${call}`), { code });
    };
    return { delay, fault };
  }
}

interface JoinRequest {
  readonly raftId: number;
  readonly addr: string;
  readonly generation: number;
}

/** A call of the membership service, as gRPC would make it for this node. */
function joinAt(
  service: MembershipServer,
  subject: { readonly CN: string; readonly O: string },
  request: JoinRequest,
): Promise<void> {
  const call = {
    request,
    getPeer: () => request.addr,
    getAuthContext: () => ({ sslPeerCertificate: { subject: { ...subject, OU: MANAGER_OU } } }),
  };
  return new Promise((resolve, reject) => {
    service.joinManagers(call as never, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(fromRpcError(error));
    });
  });
}
