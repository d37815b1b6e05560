import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { renewCertificate } from "../../manager/ca/ca-client.ts";
import { MANAGER_CHANNEL_OPTIONS, NodeCredentials } from "../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import { Manager } from "../../manager/manager.ts";
import { joinManagers, leaveSwarm } from "../../manager/membership/membership-client.ts";
import { type NodeDescription, NodeRole } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { Containers } from "../../runtime/container/types.ts";
import type { DataPlane } from "../../worker/network/data-plane.ts";
import { Worker } from "../../worker/worker.ts";
import type { TaskImages } from "../../worker/worker-options.ts";
import { parseHostPort } from "./addresses.ts";
import { Serial } from "./serial.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

/** Raft ids are drawn below 2^48: as numbers exact, and two of a swarm never alike. */
const RAFT_ID_LIMIT = 2 ** 48;

/** A leader that does not answer must not keep a node from leaving. */
const FAREWELL_MS = 5000;

/** How long a renewal that failed waits for its next try. */
const RENEW_RETRY_MS = 1000;

/** What this machine gives to whatever swarm it is in. */
export interface MemberParts {
  readonly dataRoot: string;
  readonly files: SwarmFiles;
  readonly containers: Containers;
  readonly images: TaskImages;
  /** Opened once for each membership. */
  readonly openNetwork: () => Promise<DataPlane>;
  readonly describe: () => NodeDescription;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A part of this process can no longer be trusted: it must end. */
  readonly onFatal: (error: unknown) => void;
}

/** This node as a member of one swarm: its certificate, its worker part and, if it is a manager, its manager part. */
export class Member {
  readonly credentials: NodeCredentials;
  readonly #parts: MemberParts;
  readonly #serial = new Serial();
  #state: SwarmState;
  #worker: Worker | undefined;
  #manager: Manager | undefined;
  #closed = false;
  /** Why the manager part does not run although it should; empty otherwise. */
  #error = "";

  constructor(
    parts: MemberParts,
    own: { readonly state: SwarmState; readonly certificate: NodeCertificate },
  ) {
    this.#parts = parts;
    this.#state = own.state;
    this.credentials = new NodeCredentials(own.certificate);
  }

  get nodeId(): string {
    return this.credentials.identity.nodeId;
  }

  /** The IP other nodes reach it at. */
  get addr(): string {
    return parseHostPort(this.#state.advertiseAddr, "advertise address").host;
  }

  get manager(): Manager | undefined {
    return this.#manager;
  }

  get error(): string {
    return this.#error;
  }

  /** host:port of managers as far as this node knows, the one it is in session with first. */
  get managers(): readonly string[] {
    const current = this.#worker?.manager;
    const known = this.#worker?.managers ?? this.#state.managers;
    return current === undefined ? known : [current, ...known.filter((addr) => addr !== current)];
  }

  /** Starts a new swarm: its log, then what makes this node find itself again. */
  async startSwarm(genesis: readonly Change[]): Promise<void> {
    const raftId = drawRaftId(this.#parts.random);
    this.#manager = await this.#openManager("bootstrap", { raftId, genesis });
    this.#save({ raftId, raftJoined: true });
    this.#parts.files.saveCertificate(this.credentials.certificate);
    await this.#startWorker();
  }

  /** Takes the place its certificate gives it, for the first time. */
  async enter(): Promise<void> {
    this.#parts.files.saveCertificate(this.credentials.certificate);
    this.#save({});
    if (this.credentials.identity.role === NodeRole.MANAGER) await this.#becomeManager();
    await this.#startWorker();
  }

  /** Takes its place again after a restart. The worker part comes first: tasks do not wait for a manager. */
  async resume(): Promise<void> {
    await this.#startWorker();
    if (this.credentials.identity.role !== NodeRole.MANAGER) return;
    try {
      if (this.#state.raftJoined) {
        this.#manager = await this.#openManager("restart", { raftId: this.#state.raftId });
      } else {
        await this.#becomeManager();
      }
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#error = errorMessage(error);
      this.#parts.log.error("the manager part does not run", { error: this.#error });
    }
  }

  /** Stops taking part; containers run on and the files stay. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#serial.run(async () => {
      await this.#worker?.close();
      await this.#manager?.close();
    });
  }

  /**
   * Stops its tasks, tells the managers, and forgets the swarm. The session ends before the farewell: a session that
   * breaks after it would pass for a node in trouble.
   */
  async leave(): Promise<void> {
    this.#closed = true;
    await this.#serial.run(async () => {
      const { managers } = this;
      try {
        await this.#worker?.leave();
      } finally {
        await this.#sayGoodbye(managers);
        await this.#manager?.close();
        this.#parts.files.removeAll();
      }
    });
  }

  /** Without a manager that answers, the node goes all the same. */
  async #sayGoodbye(managers: readonly string[]): Promise<void> {
    try {
      await leaveSwarm(managers, this.credentials, { timeoutMs: FAREWELL_MS });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#parts.log.warn("left without the managers' knowing", { error: error.message });
    }
  }

  async #startWorker(): Promise<void> {
    const { dataRoot, containers, images, describe, clock, random, log } = this.#parts;
    this.#worker = await Worker.start({
      nodeId: this.nodeId,
      dataRoot,
      addr: this.addr,
      credentials: () => this.credentials.toManager(),
      channelOptions: MANAGER_CHANNEL_OPTIONS,
      managers: this.#state.managers.map((addr) => ({ nodeId: "", addr })),
      description: describe,
      containers,
      images,
      network: await this.#parts.openNetwork(),
      clock,
      random,
      log: log.child({ component: "worker" }),
      onRoleChanged: (role) => void this.#serial.run(async () => this.#changeRole(role)),
    });
  }

  /** The swarm wants another role of this node: a certificate that says so, then the manager part or none. */
  async #changeRole(role: NodeRole): Promise<void> {
    if (this.#closed || role === this.credentials.identity.role) return;
    const { log, files, clock } = this.#parts;
    try {
      const [addr] = this.managers;
      if (addr === undefined) throw new ClusterError("Unavailable", "no manager is known");
      this.credentials.replace(await renewCertificate(addr, this.credentials));
      files.saveCertificate(this.credentials.certificate);
      if (this.credentials.identity.role === NodeRole.MANAGER) await this.#becomeManager();
      else await this.#becomeWorker();
      log.info("this node has a new role", { role });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      log.warn("cannot take the new role yet: it is tried again", { role, error: error.message });
      clock.after(RENEW_RETRY_MS, () => void this.#serial.run(async () => this.#changeRole(role)));
    }
  }

  /** Starts an empty log and asks to be let in. The id is kept first: it must not be drawn twice. */
  async #becomeManager(): Promise<void> {
    if (this.#state.raftId === 0) this.#save({ raftId: drawRaftId(this.#parts.random) });
    const { raftId, advertiseAddr } = this.#state;
    this.#manager ??= await this.#openManager("join", { raftId });
    const others = this.managers.filter((addr) => addr !== advertiseAddr);
    await joinManagers(others, this.credentials, { raftId, addr: advertiseAddr });
    this.#save({ raftJoined: true });
    this.#error = "";
  }

  async #becomeWorker(): Promise<void> {
    await this.#manager?.close();
    this.#manager = undefined;
    this.#parts.files.removeManager();
    this.#save({ raftId: 0, raftJoined: false });
  }

  async #openManager(
    start: "bootstrap" | "join" | "restart",
    more: { readonly raftId: number; readonly genesis?: readonly Change[] },
  ): Promise<Manager> {
    const { clock, random, log, files, onFatal } = this.#parts;
    return Manager.open({
      credentials: this.credentials,
      dir: files.managerFolder,
      listenAddr: this.#state.listenAddr,
      advertiseAddr: this.#state.advertiseAddr,
      start,
      ...more,
      clock,
      random,
      log,
      onFatal,
    });
  }

  #save(change: Partial<SwarmState>): void {
    this.#state = { ...this.#state, ...change };
    this.#parts.files.saveState(this.#state);
  }
}

/** Never 0: that means none. */
function drawRaftId(random: Random): number {
  return 1 + Math.floor(random.next() * (RAFT_ID_LIMIT - 1));
}
