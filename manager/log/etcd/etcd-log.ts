import type { Clock } from "../../../core/clock.ts";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { EtcdHead } from "../../../proto/gen/etcd.ts";
import { RaftMember } from "../../../proto/gen/raft.ts";
import { findMember } from "../members.ts";
import { checkEntrySize } from "../proposal-errors.ts";
import type { Leadership, Member, ReplicatedLog, StateMachine } from "../replicated-log.ts";
import { SNAPSHOT_INTERVAL } from "../snapshotter.ts";
import { pause, RETRY_MS } from "./commit-record.ts";
import { EtcdDriver } from "./etcd-driver.ts";
import type { EtcdKv } from "./etcd-kv.ts";
import { EtcdMembership } from "./etcd-membership.ts";
import { Keys } from "./keys.ts";
import { LogReader } from "./log-reader.ts";
import { MetaView } from "./meta-view.ts";
import { MetaWatch } from "./meta-watch.ts";
import { VALUE_BYTES_MAX } from "./record.ts";
import { Session } from "./session.ts";
import { Snapshots } from "./snapshots.ts";
import { Tail } from "./tail.ts";

/** How long etcd may take to answer at the start of a swarm, or when a manager joins. */
const OPEN_MS = 15_000;

export interface EtcdLogOptions {
  /** Owned by the log from here on. */
  readonly kv: EtcdKv;
  /** Before the swarm's own part of the keys: `/muster`. */
  readonly prefix: string;
  readonly clusterId: string;
  /** Never used before in this cluster by another node. */
  readonly raftId: number;
  readonly nodeId: string;
  /** host:port where other managers reach this one. */
  readonly addr: string;
  /** `bootstrap` a log with this member alone, `join` one whose leader is about to add us, `restart` as a member. */
  readonly start: "bootstrap" | "join" | "restart";
  readonly stateMachine: StateMachine;
  readonly clock: Clock;
  readonly log: Log;
  /** Called at most once: the process must exit. */
  readonly onFatal: (error: unknown) => void;
  /** The group goes on without this member, for good. Called at most once. */
  readonly onExpelled?: () => void;
  readonly snapshotInterval?: number;
}

/**
 * Opens this manager's part of a log that lies in etcd; it takes part from then on.
 *
 * A member that restarts does not wait for etcd: it goes on when etcd does.
 *
 * @throws {ClusterError} `FailedPrecondition` when there is no such log, or one already; `Unavailable` when etcd does not
 * answer; what etcd refuses.
 */
export async function openEtcdLog(options: EtcdLogOptions): Promise<ReplicatedLog> {
  const log = assemble(options);
  try {
    await log.open(options);
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

function assemble(options: EtcdLogOptions): EtcdLog {
  const { kv, raftId, nodeId, clock, log, stateMachine, onFatal } = options;
  const { onExpelled = () => undefined } = options;
  const keys = new Keys(options.prefix, options.clusterId);
  const view = new MetaView(keys);
  const reader = new LogReader(kv, keys);
  const onChange = (): void => driver.noteChange();
  const onFailure = (error: unknown): void => driver.fail(error);
  const interval = options.snapshotInterval ?? SNAPSHOT_INTERVAL;
  const snapshots = new Snapshots({ kv, keys, view, reader, raftId, log, onFailure }, interval);
  const tail = new Tail({ reader, view, stateMachine, snapshots, log });
  const isCaughtUp = (): boolean => tail.hasCaughtUp;
  const driver: EtcdDriver = new EtcdDriver({
    ...{ kv, keys, view, tail, snapshots, stateMachine, raftId, clock, log, onFatal, onExpelled },
    watch: new MetaWatch({ kv, keys, view, clock, log, onChange }),
    session: new Session({ kv, keys, view, clock, raftId, nodeId, isCaughtUp }),
  });
  return new EtcdLog(driver, { kv, keys, view, raftId });
}

/** What the members of a log in etcd ask of it goes to the driver. */
class EtcdLog implements ReplicatedLog {
  readonly #driver: EtcdDriver;
  readonly #membership: EtcdMembership;
  readonly #own: { readonly kv: EtcdKv; readonly keys: Keys; readonly view: MetaView };
  #closing: Promise<void> | undefined;

  constructor(
    driver: EtcdDriver,
    own: {
      readonly kv: EtcdKv;
      readonly keys: Keys;
      readonly view: MetaView;
      readonly raftId: number;
    },
  ) {
    this.#driver = driver;
    this.#membership = new EtcdMembership(driver, own);
    this.#own = own;
  }

  /** Finds the log, or makes it, and starts. @throws {ClusterError} as `openEtcdLog`. */
  async open(options: EtcdLogOptions): Promise<void> {
    const { start, clock, log } = options;
    const deadlineMs = clock.monotonicMs() + OPEN_MS;
    for (;;) {
      try {
        await this.#find(options);
        break;
      } catch (error) {
        if (!(error instanceof ClusterError) || error.code !== "Unavailable") throw error;
        if (start === "restart") {
          log.warn("etcd does not answer: this manager waits for it", { error: error.message });
          void this.#findLater(options);
          break;
        }
        if (clock.monotonicMs() > deadlineMs) throw error;
        await pause(clock, RETRY_MS);
      }
    }
    this.#driver.start();
  }

  async propose(data: Uint8Array): Promise<unknown> {
    checkEntrySize(data);
    return this.#driver.propose(data);
  }

  readBarrier(): Promise<void> {
    return this.#driver.read();
  }

  leadership(): Leadership {
    return this.#driver.leadership.current;
  }

  onLeadership(listener: (leadership: Leadership) => void): () => void {
    return this.#driver.leadership.listen(listener);
  }

  members(): readonly Member[] {
    const { members, present } = this.#own.view.meta;
    return members.members.map((member) => ({
      ...member,
      reachable: present.has(member.raftId),
    }));
  }

  removedIds(): readonly number[] {
    return this.#own.view.meta.members.removed;
  }

  addMember(member: Member): Promise<void> {
    return this.#membership.add(member);
  }

  /** Whoever is left, one is enough: the majority that counts is etcd's. So there is nothing to force. */
  removeMember(raftId: number): Promise<void> {
    return this.#membership.remove(raftId);
  }

  transferLeadership(): Promise<void> {
    return this.#membership.transfer();
  }

  close(): Promise<void> {
    this.#closing ??= this.#driver.stop().finally(() => this.#own.kv.close());
    return this.#closing;
  }

  /** @throws {ClusterError} when the log is not what `start` says it is. */
  async #find({ start, raftId, nodeId, addr, prefix }: EtcdLogOptions): Promise<void> {
    const { kv, keys, view } = this.#own;
    const self = RaftMember.encode({ raftId, nodeId, addr, learner: false }).finish();
    const own = keys.member(raftId);
    if (start !== "restart") await checkRequestSize(kv, keys);
    if (start === "bootstrap") {
      await kv.txn({
        when: [{ key: keys.head, createRevision: 0 }],
        act: [
          { put: keys.head, value: EtcdHead.encode({ index: 0 }).finish() },
          { put: own, value: self },
        ],
      });
    }
    await this.#driver.look();
    const { head, members } = view.meta;
    const known = findMember(members, raftId);
    if (head === undefined) throw noSuchLog(start, prefix);
    if (start === "bootstrap" && known === undefined) throw anotherLog(keys.root);
    if (known === undefined || known.addr === addr) return;
    // It moved while it was off.
    const { learner = false } = known;
    const moved = RaftMember.encode({ raftId, nodeId, addr, learner }).finish();
    await kv.txn({ when: [{ key: own, exists: true }], act: [{ put: own, value: moved }] });
  }

  /** Until etcd answers, or says that the log is gone. */
  async #findLater(options: EtcdLogOptions): Promise<void> {
    while (!this.#driver.isStopped) {
      await pause(options.clock, RETRY_MS);
      try {
        await this.#find(options);
        return;
      } catch (error) {
        if (error instanceof ClusterError && error.code === "Unavailable") continue;
        options.log.error("cannot use the log in etcd", { error: errorMessage(error) });
        this.#driver.fail(error);
      }
    }
  }
}

/** Whether etcd takes the largest request we make: what raft's log takes must not be refused later. @throws {ClusterError} */
async function checkRequestSize(kv: EtcdKv, keys: Keys): Promise<void> {
  await kv.txn({
    // Never so: etcd looks at the size first, and then does nothing.
    when: [{ key: keys.head, modRevision: Number.MAX_SAFE_INTEGER }],
    act: [{ put: `${keys.root}size`, value: new Uint8Array(VALUE_BYTES_MAX) }],
  });
}

function noSuchLog(start: EtcdLogOptions["start"], prefix: string): ClusterError {
  const message =
    start === "join"
      ? `cannot join: this swarm does not keep its state below ${prefix} of this etcd; give this manager the same --log, ` +
        "--etcd and --etcd-prefix as the others have"
      : `cannot start: etcd has no log of this swarm below ${prefix}; check --etcd and --etcd-prefix, or restore etcd ` +
        "from a backup";
  return new ClusterError("FailedPrecondition", message, { details: { prefix } });
}

function anotherLog(root: string): ClusterError {
  const message = `cannot start the swarm: etcd has a log of it already, below ${root}`;
  return new ClusterError("FailedPrecondition", message, { details: { root } });
}
