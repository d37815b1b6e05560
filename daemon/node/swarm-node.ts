import type { InitOptions, JoinOptions, MembershipBackend, SwarmInfo } from "../../api/backend.ts";
import { ClusterError } from "../../core/errors.ts";
import { requestCertificate } from "../../manager/ca/ca-client.ts";
import { parseJoinToken } from "../../manager/ca/join-token.ts";
import { parseUnlockKey } from "../../manager/ca/unlock-key.ts";
import { DEFAULT_CLUSTER_SPEC, newSwarm } from "../../manager/genesis.ts";
import type { Manager } from "../../manager/manager.ts";
import type { SwarmState as StoredSwarm } from "../../manager/recovery/recovered-swarm.ts";
import { readSurvivor, recoverNode } from "../recovery/recover-node.ts";
import { restoreNode } from "../recovery/restore-node.ts";
import { formatHostPort, type OwnAddress, parseHostPort } from "./addresses.ts";
import { LockedNode } from "./locked-node.ts";
import { Member, type MemberParts } from "./member.ts";
import type { NodeOwn } from "./node-file.ts";
import {
  alreadyInSwarm,
  checkMayForce,
  lockedMustForce,
  managerMustForce,
  notInSwarm,
  notInSwarmNorManager,
  notManager,
  swarmLocked,
  swarmNotLocked,
} from "./refusals.ts";
import { changedAddresses, newAddresses, relocatedState, type Whereabouts } from "./relocation.ts";
import { Serial } from "./serial.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

/** Settings of a swarm's networks when init names none. Source: dockerd. */
const DEFAULT_POOLS = ["10.0.0.0/8"];
const DEFAULT_SUBNET_SIZE = 24;
const DEFAULT_DATA_PATH_PORT = 4789;

export interface SwarmNodeParts extends MemberParts {
  readonly ownAddresses: () => readonly OwnAddress[];
  /** What the daemon was told of addresses that changed while it was off. */
  readonly whereabouts: Omit<Whereabouts, "own">;
}

/** This machine's membership in a swarm, or its absence: how it comes, goes, and finds itself after a restart. */
export class SwarmNode implements MembershipBackend {
  readonly #parts: SwarmNodeParts;
  readonly #serial = new Serial();
  #member: Member | undefined;
  /** Instead of the member, until it is unlocked. */
  #locked: LockedNode | undefined;
  #pending = false;

  constructor(parts: SwarmNodeParts) {
    this.#parts = parts;
  }

  /** Takes up the membership that the files tell of, if any. */
  async resume(): Promise<void> {
    const { files, log } = this.#parts;
    files.finishRecovery();
    if (files.isLocked) {
      this.#locked = await LockedNode.start(this.#parts);
      log.warn('this manager is locked: run "muster swarm unlock" and give the unlock key');
      return;
    }
    await this.#takeUp(this.#parts, files.load());
  }

  /** @throws {ClusterError} Docker's words for a node that is not locked, and for a key that is not the one. */
  async unlock(key: string): Promise<void> {
    await this.#serial.run(async () => {
      const locked = this.#locked;
      if (locked === undefined) {
        this.getManager();
        throw swarmNotLocked();
      }
      const own = this.#parts.files.load(parseUnlockKey(key));
      this.#locked = undefined;
      this.#parts.log.info("this manager is unlocked");
      await this.#takeUp({ ...this.#parts, openNetwork: async () => locked.network }, own);
    });
  }

  async #takeUp(parts: MemberParts, own: ReturnType<SwarmFiles["load"]>): Promise<void> {
    if (own === undefined) return;
    const member = new Member(parts, { ...own, state: this.#relocate(own.state) });
    this.#member = member;
    await member.resume();
  }

  /** The manager part. @throws {ClusterError} `Unavailable` with Docker's words when this node has none. */
  getManager(): Manager {
    if (this.#locked !== undefined) throw swarmLocked();
    if (this.#member === undefined) throw notInSwarmNorManager();
    if (this.#member.manager === undefined) throw notManager();
    return this.#member.manager;
  }

  async init(options: InitOptions): Promise<string> {
    if (options.forceNewCluster) return this.#serial.run(() => this.#forceNewCluster(options));
    return this.#exclusively(async () => {
      const addresses = this.#chooseAddresses(options);
      const genesis = await newSwarm(
        {
          spec: options.amendSpec(DEFAULT_CLUSTER_SPEC),
          availability: options.availability,
          defaultAddressPools:
            options.defaultAddressPools.length > 0 ? options.defaultAddressPools : DEFAULT_POOLS,
          subnetSize: options.subnetSize || DEFAULT_SUBNET_SIZE,
          dataPathPort: options.dataPathPort || DEFAULT_DATA_PATH_PORT,
        },
        this.#parts,
      );
      const state = {
        ...addresses,
        managers: [addresses.advertiseAddr],
        raftId: 0,
        raftJoined: false,
      };
      const { certificate, unlockKey: lock } = genesis;
      const member = this.#newMember(state, { certificate, lock });
      await undoOnFailure(member, async () => member.startSwarm(genesis.changes));
      this.#member = member;
      return genesis.nodeId;
    });
  }

  /** Becomes the only manager of a swarm that a backup holds. @param swarm is used up. */
  async restore(
    swarm: StoredSwarm,
    options: { readonly listenAddr: string; readonly advertiseAddr: string },
  ): Promise<string> {
    return this.#exclusively(async () => {
      const addresses = this.#chooseAddresses(options);
      const { files, clock, random } = this.#parts;
      const { nodeId, unlockKey } = await restoreNode({ files, clock, random }, swarm, addresses);
      await this.#takeUp(this.#parts, files.load(unlockKey));
      return nodeId;
    });
  }

  async join(options: JoinOptions): Promise<void> {
    await this.#exclusively(async () => {
      parseJoinToken(options.joinToken);
      const addresses = this.#chooseAddresses(options);
      const managers = options.remoteAddrs.map((addr) =>
        formatHostPort(parseHostPort(addr, "remote address")),
      );
      const certificate = await this.#requestFromAny(managers, options);
      const member = this.#newMember(
        { ...addresses, managers, raftId: 0, raftJoined: false },
        { certificate },
      );
      await undoOnFailure(member, async () => member.enter());
      this.#member = member;
    });
  }

  async leave(force: boolean): Promise<void> {
    await this.#serial.run(async () => {
      const member = this.#member;
      if (this.#locked !== undefined) {
        await this.#leaveLocked(this.#locked, force);
        return;
      }
      if (member === undefined) throw notInSwarm();
      // Whom its managers know no more takes nothing from the swarm.
      if (member.manager !== undefined && !force && !member.isRemoved) {
        const log = member.manager.replicatedLog;
        const managers = log.members();
        throw managerMustForce({
          managers: managers.length,
          reachable: managers.filter((manager) => manager.reachable !== false).length,
          hasLeader: log.leadership().leaderRaftId !== undefined,
        });
      }
      this.#member = undefined;
      await member.leave();
    });
  }

  async #leaveLocked(locked: LockedNode, force: boolean): Promise<void> {
    if (!force) throw lockedMustForce();
    this.#locked = undefined;
    await locked.leave();
  }

  /** Stops taking part without leaving: for the daemon's end. */
  async close(): Promise<void> {
    await this.#serial.run(async () => {
      await this.#locked?.close();
      await this.#member?.close();
    });
  }

  swarmInfo(): SwarmInfo {
    const member = this.#member;
    if (this.#locked !== undefined)
      return { ...NO_SWARM, state: "locked", error: swarmLocked().message };
    if (member === undefined) return { ...NO_SWARM, state: this.#pending ? "pending" : "inactive" };
    const view = member.manager?.store.view();
    const nodes = [...(view?.nodes.values() ?? [])];
    const managers = nodes.filter((node) => node.manager !== undefined);
    return {
      state: member.error === "" ? "active" : "error",
      nodeId: member.nodeId,
      nodeAddr: member.addr,
      isManager: member.manager !== undefined,
      error: member.error,
      remoteManagers:
        managers.length > 0
          ? managers.map((node) => ({ nodeId: node.id, addr: node.manager?.addr ?? "" }))
          : member.managers.map((addr) => ({ nodeId: "", addr })),
      cluster: view?.cluster,
      nodes: nodes.length,
      managers: managers.length,
    };
  }

  #relocate(before: SwarmState): SwarmState {
    const { whereabouts, ownAddresses, files, log } = this.#parts;
    const state = relocatedState(before, { ...whereabouts, own: ownAddresses() });
    if (state.advertiseAddr !== before.advertiseAddr) {
      log.warn("this node has another address", {
        before: before.advertiseAddr,
        now: state.advertiseAddr,
      });
    }
    files.saveState(state);
    return state;
  }

  /** The swarm goes on with this manager alone. Whatever fails, the node is the member it was, or the new one. */
  async #forceNewCluster(options: InitOptions): Promise<string> {
    const member = this.#member;
    if (this.#locked !== undefined) throw swarmLocked();
    if (member === undefined) throw notInSwarm();
    checkMayForce(member.manager?.replicatedLog);
    const { files, clock, random, log } = this.#parts;
    const { unlockKey } = member;
    const parts = { files, unlockKey, clock, random };
    await member.close();
    try {
      const survivor = await readSurvivor(parts);
      const addresses = changedAddresses(survivor.state, options, this.#parts.ownAddresses());
      const aside = await recoverNode(parts, survivor, addresses);
      log.warn("the swarm goes on with this manager alone", { nodeId: member.nodeId, aside });
    } finally {
      files.finishRecovery();
      await this.#takeUp(this.#parts, files.load(unlockKey));
    }
    return member.nodeId;
  }

  /** Runs what makes a member of a node that is none. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(async () => {
      if (this.#member !== undefined || this.#locked !== undefined) throw alreadyInSwarm();
      this.#pending = true;
      try {
        return await work();
      } finally {
        this.#pending = false;
      }
    });
  }

  #chooseAddresses(options: { readonly listenAddr: string; readonly advertiseAddr: string }) {
    return newAddresses(options, this.#parts.ownAddresses());
  }

  /** What a try that was cut off left is forgotten first. */
  #newMember(state: SwarmState, own: NodeOwn): Member {
    this.#parts.files.removeAll();
    return new Member(this.#parts, { ...own, state });
  }

  /** Asks one address after the other. @throws {ClusterError} the last one's refusal. */
  async #requestFromAny(managers: readonly string[], options: JoinOptions) {
    let refusal = new ClusterError("InvalidArgument", "cannot join: give the address of a manager");
    for (const addr of managers) {
      try {
        return await requestCertificate({
          addr,
          token: options.joinToken,
          availability: options.availability,
        });
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }
}

const NO_SWARM: SwarmInfo = {
  state: "inactive",
  nodeId: "",
  nodeAddr: "",
  isManager: false,
  error: "",
  remoteManagers: [],
  cluster: undefined,
  nodes: 0,
  managers: 0,
};

/** A membership that could not be taken up whole is not kept in part. */
async function undoOnFailure(member: Member, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await member.leave();
    throw error;
  }
}
