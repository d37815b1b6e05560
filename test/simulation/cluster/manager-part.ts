import { crc32 } from "node:zlib";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import type { Control } from "../../../manager/control/control.ts";
import { controlGateway } from "../../../manager/control/gateway.ts";
import { leaderControl } from "../../../manager/control/leader-control.ts";
import { PROBE_TIMEOUT_MS } from "../../../manager/dispatcher/host-probe.ts";
import { Leader } from "../../../manager/leader.ts";
import { MemoryDisk } from "../../../manager/log/disk/memory-disk.ts";
import { openRaftLog } from "../../../manager/log/raft-log.ts";
import type { Member, ReplicatedLog, StateMachine } from "../../../manager/log/replicated-log.ts";
import { Proposer } from "../../../manager/store/proposer.ts";
import { Store } from "../../../manager/store/store.ts";
import { StoreObject } from "../../../proto/gen/store.ts";
import { allObjects } from "./all-objects.ts";
import { Pipe } from "./pipe.ts";
import type { SimHost } from "./sim-host.ts";
import { WatchCheck } from "./watch-check.ts";
import type { World } from "./world.ts";

const SEGMENT_BYTES = 64 * 1024;
const SNAPSHOT_INTERVAL = 60;
const ENTRIES_KEPT = 20;
const DISK_DELAY_MS = 2;
/** The whole state is compared whenever so many entries were applied. */
const HASH_EVERY = 20;
/** As over gRPC. */
const CALL_TIMEOUT_MS = 20_000;

/** A node's part in keeping the swarm: what Manager puts together, over a simulated disk and network. */
export class ManagerPart {
  readonly member: Member;
  readonly #world: World;
  readonly #host: SimHost;
  #disk: MemoryDisk;
  #hasBooted = false;
  #started: Started | undefined;
  diskDelayMs = DISK_DELAY_MS;

  constructor(world: World, host: SimHost, member: Member) {
    this.#world = world;
    this.#host = host;
    this.member = member;
    this.#disk = new MemoryDisk();
  }

  get log(): ReplicatedLog | undefined {
    return this.#started?.log;
  }

  get leader(): Leader | undefined {
    return this.#started?.leader;
  }

  get store(): Store | undefined {
    return this.#started?.store;
  }

  /** What users ask here, wherever the leader is. */
  get control(): Control | undefined {
    return this.#started?.control;
  }

  get local(): Control | undefined {
    return this.#started?.local;
  }

  get isLeading(): boolean {
    return this.log?.leadership().isLeader === true;
  }

  /** With the host's new daemon. */
  boot(): void {
    const isAlive = this.#host.aliveness();
    const run = this.#host.daemon();
    const delay = (): Promise<void> =>
      new Promise((resolve) => {
        const delayMs = this.#host.random.next() * this.diskDelayMs;
        this.#world.time.after(delayMs, () => run(resolve));
      });
    this.#disk = this.#disk.crash(this.#host.random, { delay });
    this.#open(isAlive).catch((error: unknown) => {
      if (!isAlive()) return;
      this.#world.violate(
        `StartsAgain: ${this.member.nodeId} cannot start: ${errorMessage(error)}`,
      );
    });
  }

  /** With the host's daemon. */
  crash(): void {
    this.#started = undefined;
  }

  async #open(isAlive: () => boolean): Promise<void> {
    const { world, host, member } = { world: this.#world, host: this.#host, member: this.member };
    const store = new Store();
    const clock = host.clock();
    const transport = world.network.network.transport(member.raftId);
    const log = await openRaftLog({
      dir: "",
      ...member,
      start: this.#hasBooted ? "restart" : member.raftId === 1 ? "bootstrap" : "join",
      stateMachine: checked(store, member.nodeId, world),
      transport,
      clock,
      random: host.random,
      log: silentLog,
      onFatal: (error) => {
        if (isAlive())
          world.violate(`KeepsRunning: ${member.nodeId} stopped: ${errorMessage(error)}`);
      },
      snapshotInterval: SNAPSHOT_INTERVAL,
      entriesKept: ENTRIES_KEPT,
      segmentBytes: SEGMENT_BYTES,
      disk: this.#disk,
    });
    if (!isAlive()) return;
    this.#hasBooted = true;
    this.#started = start({ world, host, store, log, member });
  }
}

interface Started {
  readonly store: Store;
  readonly log: ReplicatedLog;
  readonly leader: Leader;
  readonly local: Control;
  readonly control: Control;
}

function start(parts: {
  readonly world: World;
  readonly host: SimHost;
  readonly store: Store;
  readonly log: ReplicatedLog;
  readonly member: Member;
}): Started {
  const { world, host, store, log: replicatedLog, member } = parts;
  const clock = host.clock();
  const { random } = host;
  const proposer = new Proposer(replicatedLog, clock);
  const leaderAddr = () => {
    const { leaderRaftId } = replicatedLog.leadership();
    return replicatedLog.members().find(({ raftId }) => raftId === leaderRaftId)?.addr;
  };
  const randomBytes = (count: number) =>
    Uint8Array.from({ length: count }, () => random.next() * 256);
  const leader = new Leader({
    nodeId: member.nodeId,
    store,
    replicatedLog,
    proposer,
    leaderAddr,
    clock,
    random,
    randomBytes,
    hostAnswers: (addr) => hostAnswers(world, host, addr),
    log: silentLog,
  });
  const local = leaderControl({
    view: () => store.view(),
    proposer,
    replicatedLog,
    stateMachine: store,
    logs: leader.logs,
    clock,
    random,
    randomBytes,
    log: silentLog,
  });
  const control = controlGateway({
    local,
    replicatedLog,
    connect: async ({ addr }) => remoteControl(world, host, addr),
    clock,
  });
  new WatchCheck(store, (what) => world.violate(`${what} on ${member.nodeId}`)).follow();
  leader.follow();
  return { store, log: replicatedLog, leader, local, control };
}

/** The store, with what every manager must agree on compared after each entry. */
function checked(store: Store, nodeId: string, world: World): StateMachine {
  const compare = (index: number, what: string, hash: number): void =>
    world.agreement.compare(nodeId, index, what, hash);
  return {
    apply: (index, data) => {
      const before = store.view().index;
      const result = store.apply(index, data);
      const { ok } = result;
      const outcome = ok ? "ok" : `${result.code} ${result.message}`;
      compare(index, "outcome", crc32(outcome, crc32(data)));
      if (Math.floor(index / HASH_EVERY) > Math.floor(before / HASH_EVERY)) {
        compare(index, "state", hashOf(store));
      }
      world.onApplied(nodeId, store, index);
      return result;
    },
    snapshot: () => {
      compare(store.view().index, "state", hashOf(store));
      return store.snapshot();
    },
    restore: (index, parts) => {
      store.restore(index, parts);
      compare(index, "state", hashOf(store));
    },
  };
}

/** Of all objects, in whatever order they are kept. */
function hashOf(store: Store): number {
  let sum = 0;
  for (const object of allObjects(store.view())) {
    sum = (sum + crc32(StoreObject.encode({ kind: object }).finish())) >>> 0;
  }
  return sum;
}

/** Asks the kernel of a host over the network, which answers while the machine has power. */
function hostAnswers(world: World, from: SimHost, addr: string): Promise<boolean> {
  const host = world.nodes.find((node) => node.addr.startsWith(`${addr}:`))?.host;
  const { network, time } = world;
  return new Promise((resolve) => {
    const runHere = from.daemon();
    const cancel = time.after(PROBE_TIMEOUT_MS, () => runHere(() => resolve(false)));
    time.after(network.delayMs(), () => {
      if (host?.isPowered !== true || !network.passes(from.number, host.number)) return;
      time.after(network.delayMs(), () => {
        if (!network.passes(host.number, from.number)) return;
        cancel();
        runHere(() => resolve(true));
      });
    });
  });
}

/** Control over the network: a request and its answer travel, or are lost and time out. */
function remoteControl(world: World, from: SimHost, addr: string): Control {
  const call = (method: PropertyKey, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const listener = world.find(addr);
      const number = listener?.host.number ?? 0;
      const runHere = from.daemon();
      const there = new Pipe(world, from.number, number);
      const back = new Pipe(world, number, from.number);
      const lost = (): void =>
        reject(new ClusterError("Unavailable", "no answer", { details: { unanswered: true } }));
      const cancel = from.clock().after(CALL_TIMEOUT_MS, lost);
      const answer = (settle: () => void): void => {
        back.send(() =>
          runHere(() => {
            cancel();
            settle();
          }),
        );
      };
      there.send(() => {
        const local = listener?.local as unknown as Record<
          PropertyKey,
          (...args: unknown[]) => Promise<unknown>
        >;
        if (listener?.host.isUp !== true || local === undefined) {
          if (listener?.host.isPowered === true) answer(lost);
          return;
        }
        listener.host.daemon()(() => {
          const asked = local[method]?.(...args) ?? Promise.reject(new TypeError(String(method)));
          asked.then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      });
    });
  return new Proxy({} as Control, {
    // A Control that was awaited is no promise.
    get: (_target, method) =>
      method === "then" ? undefined : (...args: unknown[]) => call(method, args),
  });
}
