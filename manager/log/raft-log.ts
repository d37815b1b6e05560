import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { bootstrapState, RaftNode } from "../../raft-ts/index.ts";
import type { StoredState } from "../../raft-ts/types.ts";
import { AppliedState, encodeMember } from "./applied-state.ts";
import { type LogDisk, orDiskFailed } from "./disk/log-disk.ts";
import { openNodeDisk } from "./disk/node-disk.ts";
import type { Schedule } from "./inbox.ts";
import { RAFT_FOLDER } from "./log-folder.ts";
import { MemberAddresses } from "./member-addresses.ts";
import { EMPTY_MEMBERS } from "./members.ts";
import { Membership } from "./membership.ts";
import { checkEntrySize } from "./proposal-errors.ts";
import {
  ELECTION_TICKS,
  HEARTBEAT_TICKS,
  LEASE_TICKS,
  RaftDriver,
  TICK_MS,
} from "./raft-driver.ts";
import { recoverState, replayBatches } from "./recovery.ts";
import type { Leadership, Member, ReplicatedLog, StateMachine } from "./replicated-log.ts";
import type { DataKeys } from "./seal/data-key.ts";
import { type LoadedSnapshot, SnapshotStore } from "./snapshot/snapshot-store.ts";
import { ENTRIES_KEPT, SNAPSHOT_INTERVAL, Snapshotter } from "./snapshotter.ts";
import type { Expulsion, Transport } from "./transport/transport.ts";
import { type OpenedWal, openWal, type Wal } from "./wal/wal.ts";

export interface RaftLogOptions {
  /** Of this manager alone; made if absent. */
  readonly dir: string;
  /** Never used before in this cluster, unless `dir` is the one it was used with. */
  readonly raftId: number;
  readonly nodeId: string;
  /** host:port where other managers reach this one. */
  readonly addr: string;
  /**
   * What an empty directory means: `bootstrap` a cluster with this member alone, `join` one whose leader is about to add
   * us, or that our disk is lost (`restart`, refused). A directory with a log is always gone on with.
   */
  readonly start: "bootstrap" | "join" | "restart";
  readonly stateMachine: StateMachine;
  /** What is written is sealed with their current one; without them it is in clear, which only tests may want. */
  readonly keys?: DataKeys | undefined;
  /** Owned by the log from here on. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Disk or invariant broken: the log has stopped taking part and the process must exit. Called at most once. */
  readonly onFatal: (error: unknown) => void;
  /** The group goes on without this member, for good: its part is to be ended and its log forgotten. */
  readonly onExpelled?: (notice: Expulsion) => void;
  readonly snapshotInterval?: number;
  readonly entriesKept?: number;
  readonly segmentBytes?: number;
  /**
   * When to work on what has arrived; default: as soon as the stack is empty. At the end of the event loop's turn is
   * better where many speak: all they said in one turn is then one append and one flush.
   */
  readonly schedule?: Schedule;
  /**
   * Reads go by the leader's lease and cost no message, at the price of an assumption about clocks (docs/decisions/007). All
   * members of a group or none. Default false.
   */
  readonly leaseReads?: boolean;
  /** Instead of `dir`; for the simulation. */
  readonly disk?: LogDisk;
}

/**
 * Opens this manager's part of the embedded replicated log; it takes part from then on.
 *
 * @throws {ClusterError} `DataLoss` when what is on disk is damaged, `FailedPrecondition` when it is another member's or
 * is gone.
 */
export async function openRaftLog(options: RaftLogOptions): Promise<ReplicatedLog> {
  const dir = join(options.dir, RAFT_FOLDER);
  try {
    const stored = await orDiskFailed("open the log", options.disk ?? { dir }, async () =>
      openStored(options, options.disk ?? (await openNodeDisk(dir))),
    );
    return startRaftLog(options, stored);
  } catch (error) {
    await options.transport.close();
    throw error;
  }
}

/** Reads what is on the disk and makes it ready to be gone on with. */
async function openStored(options: RaftLogOptions, disk: LogDisk): Promise<Recovered> {
  const store = await SnapshotStore.open(disk, options.keys);
  const opened = await openWal(disk, options);
  try {
    const damaged = new Map<string, string>();
    const snapshot = await store.loadNewest(async ({ message }, name) => {
      options.log.error("cannot use a snapshot, trying the one before", { error: message });
      damaged.set(name, message);
    });
    const stored = await recover(options, opened, { snapshot, damaged: [...damaged.values()] });
    // The log has all without them. Where it has not, they stay for who can still make something of them.
    for (const name of damaged.keys()) await store.discard(name);
    return { store, wal: opened.wal, snapshot, stored };
  } catch (error) {
    await opened.wal.close();
    throw error;
  }
}

async function recover(
  options: RaftLogOptions,
  { wal, batches, isNew, torn }: OpenedWal,
  found: { readonly snapshot: LoadedSnapshot | undefined; readonly damaged: readonly string[] },
): Promise<StoredState> {
  const { snapshot, damaged } = found;
  if (torn !== undefined) options.log.warn("cut off a torn record, never acknowledged", { torn });
  if (isNew && options.start === "restart") {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot start: the log in ${options.dir} is gone; remove this manager from the swarm and join it again`,
      { details: { dir: options.dir, raftId: options.raftId } },
    );
  }
  if (batches.length === 0 && snapshot === undefined && options.start === "bootstrap") {
    const { raftId } = options;
    const stored = bootstrapState([{ raftId, context: encodeMember(options) }]);
    await wal.append({ hardState: stored.hardState, restart: undefined, entries: stored.entries });
    return stored;
  }
  const replayed = replayBatches(batches);
  const { stored, restart } = recoverState(replayed, snapshot?.header.meta, {
    keepEntries: options.entriesKept ?? ENTRIES_KEPT,
    damaged,
  });
  if (restart !== undefined) {
    const { index, term } = restart;
    await wal.append({ hardState: stored.hardState, restart: { index, term }, entries: [] });
  }
  return stored;
}

interface Recovered {
  readonly store: SnapshotStore;
  readonly wal: Wal;
  readonly snapshot: LoadedSnapshot | undefined;
  readonly stored: StoredState;
}

function startRaftLog(options: RaftLogOptions, recovered: Recovered): ReplicatedLog {
  const { clock, random, log, onFatal, transport, keys } = options;
  const { store, wal, snapshot, stored } = recovered;
  const applied = new AppliedState(options.stateMachine, { members: EMPTY_MEMBERS, index: 0 });
  if (snapshot !== undefined) applied.restore(snapshot);
  const node = new RaftNode(
    {
      id: options.raftId,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      // Nobody looks at a follower's state: a heartbeat's time behind is soon enough.
      lazyCommit: true,
      random: () => random.next(),
      ...(options.leaseReads === true && {
        lease: { now: () => clock.monotonicMs() / TICK_MS, ticks: LEASE_TICKS },
      }),
    },
    stored,
  );
  const onFailure = (error: unknown): void => driver.fail(error);
  const snapshotter = new Snapshotter(
    { store, wal, applied, log, keys, onFailure },
    {
      interval: options.snapshotInterval ?? SNAPSHOT_INTERVAL,
      entriesKept: options.entriesKept ?? ENTRIES_KEPT,
      newest: snapshot?.header.meta,
    },
  );
  const driver = new RaftDriver({
    node,
    applied,
    wal,
    snapshotter,
    transport,
    clock,
    schedule: options.schedule ?? queueMicrotask,
    log,
    keys,
    onFatal,
    onHello: (member) => addresses.onHello(member),
    onExpelled: (notice) => options.onExpelled?.(notice),
  });
  const membership = new Membership(driver, options.raftId);
  const { raftId, nodeId, addr } = options;
  const self = { raftId, nodeId, addr };
  const addresses = new MemberAddresses({ self, driver, membership, clock, log });
  driver.start();
  return new RaftLog(driver, { raftId, wal, transport, membership, addresses });
}

interface RaftLogParts {
  readonly raftId: number;
  readonly wal: Wal;
  readonly transport: Transport;
  readonly membership: Membership;
  readonly addresses: MemberAddresses;
}

/** The embedded version: what is asked of it goes to the driver, in a caller's words. */
class RaftLog implements ReplicatedLog {
  readonly #driver: RaftDriver;
  readonly #membership: Membership;
  readonly #owned: RaftLogParts;
  #reachable: ReadonlySet<number> | undefined;
  #closing: Promise<void> | undefined;

  constructor(driver: RaftDriver, parts: RaftLogParts) {
    this.#driver = driver;
    this.#membership = parts.membership;
    this.#owned = parts;
    void this.#campaignIfAlone(parts.raftId);
  }

  async propose(data: Uint8Array): Promise<unknown> {
    checkEntrySize(data);
    return this.#driver.requests.propose(data);
  }

  readBarrier(): Promise<void> {
    return this.#driver.requests.read();
  }

  leadership(): Leadership {
    return this.#driver.leadership.current;
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    return this.#driver.leadership.listen(listener);
  }

  members(): readonly Member[] {
    const { members } = this.#driver.applied.members;
    if (this.leadership().isLeader) this.#reachable = this.#driver.reachable();
    const reachable = this.#reachable;
    if (reachable === undefined) return members;
    return members.map((member) => ({ ...member, reachable: reachable.has(member.raftId) }));
  }

  removedIds(): readonly number[] {
    return this.#driver.applied.members.removed;
  }

  addMember(member: Member): Promise<void> {
    return this.#membership.add(member);
  }

  removeMember(raftId: number, options: { readonly force?: boolean } = {}): Promise<void> {
    return this.#membership.remove(raftId, options);
  }

  transferLeadership(): Promise<void> {
    return this.#membership.transfer();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#owned.addresses.close();
    await this.#driver.stop();
    await this.#owned.transport.close();
    await this.#owned.wal.close();
  }

  /** The only voter need not wait for a leader to be missed. */
  async #campaignIfAlone(raftId: number): Promise<void> {
    const isAlone = (): boolean => {
      const { voters, votersOutgoing } = this.#driver.status().confState;
      return voters.length === 1 && voters[0] === raftId && votersOutgoing.length === 0;
    };
    if (await this.#driver.waitUntil(isAlone, 1)) this.#driver.deliver({ kind: "campaign" });
  }
}
