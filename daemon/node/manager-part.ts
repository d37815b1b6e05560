import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { holdsLog } from "../../manager/log/log-folder.ts";
import type { Expulsion } from "../../manager/log/transport/transport.ts";
import { Manager } from "../../manager/manager.ts";
import { joinManagers } from "../../manager/membership/membership-client.ts";
import type { StoreEvent } from "../../manager/store/apply.ts";
import type { Store } from "../../manager/store/store.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { LogChoice } from "../log-choice.ts";
import type { Identity } from "./identity.ts";
import type { Lock } from "./node-file.ts";
import { drawRaftId } from "./raft-id.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

export interface ManagerPartOptions {
  readonly identity: Identity;
  readonly files: SwarmFiles;
  readonly logChoice: LogChoice;
  /** host:port of managers, this node itself perhaps among them. */
  readonly managers: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onFatal: (error: unknown) => void;
  /** The managers' group goes on without this member, for good. Called once for each member. */
  readonly onExpelled: (notice: Expulsion) => void;
  /** The swarm's unlock key, when the manager's store first has one and whenever it is another. */
  readonly onLock: (lock: Lock) => void;
  /** What changes in the swarm's state from now on; what this manager has missed is left out. */
  readonly onChanges: (changes: readonly StoreEvent[]) => void;
}

/** The manager of this node: there while its certificate says so. Calls must not overlap. */
export class ManagerPart {
  readonly #options: ManagerPartOptions;
  #manager: Manager | undefined;
  #stopFollowing: () => void = () => undefined;

  constructor(options: ManagerPartOptions) {
    this.#options = options;
  }

  /** Undefined while this node is none, or cannot be. */
  get manager(): Manager | undefined {
    return this.#manager;
  }

  /** Runs as the first manager of a new swarm, whose log begins with `genesis`. */
  async startSwarm(genesis: readonly Change[]): Promise<void> {
    const raftId = drawRaftId(this.#options.random);
    this.#manager = await this.#open("bootstrap", { raftId, genesis });
    this.#saveJoined(raftId);
  }

  /**
   * Runs, as a member of the managers' group: with the log it has or, the first time, with an empty one and the others'
   * leave. Nothing to do when it runs already; may be repeated after a failure.
   *
   * A log that is gone is never begun again under the same id, for what that id voted for and acknowledged is forgotten:
   * the node joins as a newcomer, and the others take the old id out.
   *
   * @throws {ClusterError} when the port is taken, the log is damaged, or no leader lets it in.
   */
  async run(): Promise<void> {
    const { identity, managers, random, files, logChoice } = this.#options;
    if (identity.state.raftJoined) checkLogKind(identity.state, logChoice);
    const hasLog = this.#manager !== undefined || logChoice.isThere(files.managerFolder);
    if (identity.state.raftJoined && hasLog) {
      this.#manager ??= await this.#open("restart", { raftId: identity.state.raftId });
      return;
    }
    const { advertiseAddr: addr } = identity.state;
    const others = managers().filter((manager) => manager !== addr);
    if (identity.state.raftJoined) this.#mayStartAgain(others);
    // The id is kept first: it must not be drawn twice.
    if (identity.state.raftId === 0 || !hasLog) {
      identity.save({ raftId: drawRaftId(random), raftJoined: false });
    }
    const { raftId, generation = 0 } = identity.state;
    this.#manager ??= await this.#open("join", { raftId });
    await joinManagers(others, identity.credentials, { raftId, addr, generation });
    this.#saveJoined(raftId);
  }

  /** Ends a member the group has taken out; its log is kept aside. What this node becomes is the swarm's to say. */
  async putAside({ generation, reason }: Expulsion): Promise<void> {
    const { identity, files, clock, log } = this.#options;
    if (identity.state.raftId === 0) return;
    await this.close();
    const aside = holdsLog(files.managerFolder)
      ? files.putManagerAside(`expelled-${clock.nowMs()}`)
      : "";
    log.warn("this manager is no member of its group any more", { reason, aside });
    const known = identity.state.generation ?? 0;
    identity.save({ raftId: 0, raftJoined: false, generation: Math.max(known, generation) });
  }

  #mayStartAgain(others: readonly string[]): void {
    const { identity, files, log } = this.#options;
    const dir = files.managerFolder;
    const { raftId } = identity.state;
    if (others.length > 0) {
      log.warn("the log is gone: this manager starts again as a newcomer", { dir, raftId });
      return;
    }
    throw new ClusterError(
      "FailedPrecondition",
      `cannot start the manager: the log in ${dir} is gone and no other manager is known: put it back, or leave the ` +
        'swarm ("muster swarm leave --force") and restore it from a backup ("muster cluster restore")',
      { details: { dir, raftId } },
    );
  }

  /** Ends it and forgets its log: this node is a worker. Nothing to do when it is one already. */
  async end(): Promise<void> {
    const { identity, files } = this.#options;
    await this.close();
    if (identity.state.raftId === 0) return;
    files.removeManager();
    identity.forgetLogKeys();
    identity.save({ raftId: 0, raftJoined: false });
  }

  /** Stops it; its log stays. */
  async close(): Promise<void> {
    this.#stopFollowing();
    await this.#manager?.close();
    this.#manager = undefined;
  }

  /** With the kind of its log: a restart with another kind would find none. */
  #saveJoined(raftId: number): void {
    const { identity, logChoice } = this.#options;
    identity.save({ raftId, raftJoined: true, logKind: logChoice.kind });
  }

  async #open(
    start: "bootstrap" | "join" | "restart",
    more: { readonly raftId: number; readonly genesis?: readonly Change[] },
  ): Promise<Manager> {
    const { identity, files, logChoice, clock, random, log, onFatal, onExpelled } = this.#options;
    let isExpelled = false;
    const manager = await Manager.open({
      credentials: identity.credentials,
      dir: files.managerFolder,
      listenAddr: identity.state.listenAddr,
      advertiseAddr: identity.state.advertiseAddr,
      start,
      openLog: logChoice.open,
      ...more,
      keys: identity.logKeys(holdsLog(files.managerFolder)),
      clock,
      random,
      log,
      onFatal,
      onExpelled: (notice) => {
        if (isExpelled) return;
        isExpelled = true;
        onExpelled(notice);
      },
      hints: () => identity.state.managers,
    });
    this.#stopFollowing();
    this.#stopFollowing = followStore(manager.store, this.#options);
    return manager;
  }
}

function checkLogKind({ logKind = "raft" }: SwarmState, { kind }: LogChoice): void {
  if (logKind === kind) return;
  throw new ClusterError(
    "FailedPrecondition",
    `cannot start the manager: its swarm keeps its state in ${logKind}, and musterd was started for ${kind}; start it ` +
      `with --log ${logKind}`,
    { details: { logKind } },
  );
}

/** Tells of the swarm's unlock key, now and after each change, and of all changes. Returns how to stop it. */
function followStore(
  store: Store,
  options: Pick<ManagerPartOptions, "onLock" | "onChanges" | "onFatal" | "clock">,
): () => void {
  const { onLock, onChanges, onFatal, clock } = options;
  // A manager that comes back or joins applies the log of before: that is no news.
  const sinceMs = clock.nowMs();
  const cursor = store.watch();
  let isClosed = false;
  let version = 0;
  const follow = async (): Promise<void> => {
    while (!isClosed) {
      const lock = store.view().cluster?.unlockKey;
      if (lock !== undefined && lock.version > version) {
        version = lock.version;
        onLock({ key: lock.key, version });
      }
      await cursor.ready();
      const batch = cursor.take();
      if (batch.kind !== "events") continue;
      const news = batch.events.filter(({ atMs }) => atMs >= sinceMs);
      if (news.length > 0) onChanges(news);
    }
  };
  follow().catch(onFatal);
  return () => {
    isClosed = true;
    cursor.close();
  };
}
