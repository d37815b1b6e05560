import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { MANAGER_CHANNEL_OPTIONS } from "../../manager/ca/credentials.ts";
import type { Expulsion } from "../../manager/log/transport/transport.ts";
import type { Manager } from "../../manager/manager.ts";
import { leaveSwarm } from "../../manager/membership/membership-client.ts";
import type { StoreEvent } from "../../manager/store/apply.ts";
import { type NodeDescription, NodeRole } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import type { Containers } from "../../runtime/container/types.ts";
import type { DataPlane } from "../../worker/network/data-plane.ts";
import { grpcDial } from "../../worker/session/grpc-wire.ts";
import { Worker } from "../../worker/worker.ts";
import type { TaskImages } from "../../worker/worker-options.ts";
import type { LogChoice } from "../log-choice.ts";
import { localAddr, parseHostPort } from "./addresses.ts";
import { Identity } from "./identity.ts";
import { ManagerPart } from "./manager-part.ts";
import type { Lock, NodeOwn } from "./node-file.ts";
import { removedFromSwarm } from "./refusals.ts";
import { Roles } from "./roles.ts";
import { Serial } from "./serial.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

/** A leader that does not answer must not keep a node from leaving. */
const FAREWELL_MS = 5000;

/** What this machine gives to whatever swarm it is in. */
export interface MemberParts {
  readonly dataRoot: string;
  readonly files: SwarmFiles;
  readonly logChoice: LogChoice;
  readonly containers: Containers;
  readonly images: TaskImages;
  /** Opened once for each membership. */
  readonly openNetwork: () => Promise<DataPlane>;
  readonly describe: () => NodeDescription;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Told of changes of the swarm's state while this node is a manager. */
  readonly onChanges: (changes: readonly StoreEvent[]) => void;
  /** A part of this process can no longer be trusted: it must end. */
  readonly onFatal: (error: unknown) => void;
}

/** This node as a member of one swarm: its identity, its worker part and, if it is a manager, its manager part. */
export class Member {
  readonly #parts: MemberParts;
  readonly #identity: Identity;
  readonly #managerPart: ManagerPart;
  readonly #serial = new Serial();
  #roles: Roles | undefined;
  #worker: Worker | undefined;

  constructor(parts: MemberParts, own: NodeOwn & { readonly state: SwarmState }) {
    this.#parts = parts;
    this.#identity = new Identity(parts.files, own, {
      clock: parts.clock,
      manager: () => this.manager,
      onRenewed: () => {
        this.#worker?.reportTls();
        this.#roles?.onRenewed();
      },
      onFatal: parts.onFatal,
    });
    this.#managerPart = new ManagerPart({
      ...parts,
      identity: this.#identity,
      managers: () => this.managers,
      onExpelled: (notice) => void this.#onExpelled(notice),
      onLock: (lock) => this.#onLock(lock),
    });
  }

  get nodeId(): string {
    return this.#identity.nodeId;
  }

  /** What its own files are sealed with; undefined: nothing. */
  get unlockKey(): Uint8Array | undefined {
    return this.#identity.unlockKey;
  }

  /** The IP other nodes reach it at. */
  get addr(): string {
    return parseHostPort(this.#identity.state.advertiseAddr, "advertise address").host;
  }

  get manager(): Manager | undefined {
    return this.#managerPart.manager;
  }

  /** What keeps this node from its place in the swarm; empty when nothing does. */
  get error(): string {
    const refusal = this.#worker?.refusal;
    return refusal === undefined ? (this.#roles?.error ?? "") : removedFromSwarm(refusal);
  }

  /** Whether its managers know it no more. */
  get isRemoved(): boolean {
    return this.#worker?.refusal !== undefined;
  }

  /** host:port of managers as far as this node knows, the one it is in session with first. */
  get managers(): readonly string[] {
    const current = this.#worker?.manager;
    const known = this.#worker?.managers ?? this.#identity.state.managers;
    return current === undefined ? known : [current, ...known.filter((addr) => addr !== current)];
  }

  /** The same, as they are dialled from here. */
  #reachable(): readonly string[] {
    return this.managers.map((addr) => this.#dialAddr(addr));
  }

  /** This node's own manager part is found here, whatever lies between it and the address it advertises. */
  #dialAddr(addr: string): string {
    const { advertiseAddr, listenAddr } = this.#identity.state;
    const isOwn = this.manager !== undefined && addr === advertiseAddr;
    return isOwn ? localAddr(listenAddr) : addr;
  }

  /** Starts a new swarm: its log, then what makes this node find itself again. */
  async startSwarm(genesis: readonly Change[]): Promise<void> {
    await this.#managerPart.startSwarm(genesis);
    this.#identity.saveCertificate();
    await this.#startWorker();
  }

  /** Takes the place its certificate gives it, for the first time. */
  async enter(): Promise<void> {
    this.#identity.saveCertificate();
    this.#identity.save({});
    if (this.#identity.role === NodeRole.MANAGER) await this.#managerPart.run();
    await this.#startWorker();
  }

  /** Takes its place again after a restart. The worker part comes first: tasks do not wait for a manager. */
  async resume(): Promise<void> {
    await this.#startWorker();
    await this.#roles?.want(this.#identity.role);
  }

  /** Stops taking part; containers run on and the files stay. */
  async close(): Promise<void> {
    this.#roles?.close();
    await this.#serial.run(async () => {
      await this.#worker?.close();
      await this.#managerPart.close();
    });
  }

  /**
   * Stops its tasks, tells the managers, and forgets the swarm. The session ends before the farewell: a session that
   * breaks after it would pass for a node in trouble.
   */
  async leave(): Promise<void> {
    this.#roles?.close();
    await this.#serial.run(async () => {
      const managers = this.#reachable();
      try {
        await this.#worker?.leave();
      } finally {
        await this.#sayGoodbye(managers);
        await this.#managerPart.close();
        this.#parts.files.removeAll();
      }
    });
  }

  /** Without a manager that answers, the node goes all the same. */
  async #sayGoodbye(managers: readonly string[]): Promise<void> {
    try {
      await leaveSwarm(managers, this.#identity.credentials, { timeoutMs: FAREWELL_MS });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#parts.log.warn("left without the managers' knowing", { error: error.message });
    }
  }

  /**
   * Every manager is told by its own log. A key that lay on the disk in clear is replaced; should that fail now, the
   * next renewal does it.
   */
  #onLock(lock: Lock): void {
    const { log } = this.#parts;
    const wasClear = this.#identity.takeLock(lock);
    log.info("this manager's keys are under a new lock", { locked: this.unlockKey !== undefined });
    if (wasClear) void this.#roles?.renewNow();
  }

  /** Its log counts no more. Whether it may come back as a manager, the swarm says when it asks. */
  async #onExpelled(notice: Expulsion): Promise<void> {
    await this.#serial.run(() => this.#managerPart.putAside(notice));
    await this.#roles?.settleAgain();
  }

  async #startWorker(): Promise<void> {
    const { dataRoot, containers, images, describe, clock, random, log } = this.#parts;
    const { credentials, state } = this.#identity;
    const dial = grpcDial(() => credentials.toManager(), MANAGER_CHANNEL_OPTIONS);
    const roles = new Roles({
      identity: this.#identity,
      managerPart: this.#managerPart,
      findManagers: () => this.#reachable(),
      serial: this.#serial,
      clock,
      random,
      log,
    });
    this.#roles = roles;
    this.#identity.establish();
    this.#worker = await Worker.start({
      nodeId: this.nodeId,
      dataRoot,
      addr: this.addr,
      dial: (addr, events) => dial(this.#dialAddr(addr), events),
      managers: state.managers.map((addr) => ({ nodeId: "", addr })),
      description: describe,
      containers,
      images,
      network: await this.#parts.openNetwork(),
      clock,
      random,
      log: log.child({ component: "worker" }),
      onRoleChanged: (role) => void roles.want(role),
      tls: () => credentials.facts.tls,
      onCertificateDue: () => void roles.renewNow(),
    });
  }
}
