import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { accept, renewCertificate, renewExpired } from "../../manager/ca/ca-client.ts";
import { newCertificateRequest } from "../../manager/ca/certificates.ts";
import { NodeCredentials } from "../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import { KeyRing, type KeySet, newKeySet } from "../../manager/log/seal/key-ring.ts";
import type { Manager } from "../../manager/manager.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import type { Lock, NodeOwn } from "./node-file.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

const UNLOCKED: Lock = { key: new Uint8Array(), version: 0 };

/** What an identity needs of the node it is of. */
export interface IdentitySurroundings {
  readonly clock: Pick<Clock, "nowMs">;
  /** The manager part, while there is one. */
  readonly manager: () => Pick<Manager, "issueOwnCertificate"> | undefined;
  readonly onRenewed: () => void;
  /** The disk failed under a running manager. */
  readonly onFatal: (error: unknown) => void;
}

/** Who this node is in its swarm: its certificate, keys and state, in memory and on disk alike. */
export class Identity {
  readonly credentials: NodeCredentials;
  readonly #files: SwarmFiles;
  readonly #surroundings: IdentitySurroundings;
  #state: SwarmState;
  #lock: Lock;
  #ring: KeyRing | undefined;
  #isEstablished = false;

  /** Nothing is on disk before the first save. */
  constructor(
    files: SwarmFiles,
    own: NodeOwn & { readonly state: SwarmState },
    surroundings: IdentitySurroundings,
  ) {
    this.#files = files;
    this.#surroundings = surroundings;
    this.#state = own.state;
    this.#lock = own.lock ?? UNLOCKED;
    this.#ring = own.keys === undefined ? undefined : this.#ringOf(own.keys);
    this.credentials = new NodeCredentials(own.certificate);
  }

  get nodeId(): string {
    return this.credentials.identity.nodeId;
  }

  /** The role its certificate gives it. */
  get role(): NodeRole {
    return this.credentials.identity.role;
  }

  get state(): SwarmState {
    return this.#state;
  }

  save(change: Partial<SwarmState>): void {
    const state = { ...this.#state, ...change };
    this.#write(() => this.#files.saveState(state));
    this.#state = state;
  }

  /** Certificate and keys. The swarm's unlock key is managers' alone: a worker needs none to start. */
  saveCertificate(): void {
    if (this.role !== NodeRole.MANAGER) this.#lock = UNLOCKED;
    this.#saveOwn(this.#ring?.set);
  }

  /** From now on it is a member: a disk that fails then stops the manager. Before, whoever makes it one is told. */
  establish(): void {
    this.#isEstablished = true;
  }

  /** What the manager's log is sealed with. @param hasLog there is one: without keys yet, it is in clear. */
  logKeys(hasLog: boolean): KeyRing {
    if (this.#ring !== undefined) return this.#ring;
    const set = newKeySet(hasLog);
    this.#saveOwn(set);
    this.#ring = this.#ringOf(set);
    return this.#ring;
  }

  /** The manager's log is gone, and so is what it was sealed with. */
  forgetLogKeys(): void {
    this.#ring = undefined;
    this.#saveOwn(undefined);
  }

  /** What its own files are sealed with; undefined: nothing, and it starts without anyone's help. */
  get unlockKey(): Uint8Array | undefined {
    return this.#lock.key.length === 0 ? undefined : this.#lock.key;
  }

  /**
   * The swarm has another unlock key: what is on disk of this manager needs it from now on, and whoever read the files
   * before can read nothing newer.
   *
   * @returns whether its secrets were in clear so far.
   */
  takeLock(lock: Lock): boolean {
    if (lock.version <= this.#lock.version) return false;
    const before = this.#lock;
    this.#lock = lock;
    if (this.#ring === undefined) this.#saveOwn(undefined);
    else this.#ring.rotate();
    return before.key.length === 0 && lock.key.length > 0;
  }

  /** Whether nobody takes its certificate any more. */
  get isExpired(): boolean {
    return this.#surroundings.clock.nowMs() > this.credentials.facts.notAfterMs;
  }

  /**
   * Gets the next certificate, for the role the swarm wants of this node now, and takes it into use.
   *
   * @param managers host:port of those that are known.
   * @throws {ClusterError} `PermissionDenied` when the node was removed, `FailedPrecondition` when its certificate expired
   * too long ago, `Unavailable` when no leader could be asked.
   */
  async renew(managers: readonly string[]): Promise<void> {
    this.credentials.replace(await this.#next(managers));
    this.saveCertificate();
    this.#surroundings.onRenewed();
  }

  async #next(managers: readonly string[]): Promise<NodeCertificate> {
    if (this.isExpired) return this.#replaceExpired(managers);
    try {
      return await renewCertificate(managers, this.credentials);
    } catch (error) {
      // By the manager's clock it has expired.
      if (!(error instanceof ClusterError) || error.code !== "Unauthenticated") throw error;
      return this.#replaceExpired(managers);
    }
  }

  /** A manager helps itself: if all were off for long, there is nobody else who could. */
  async #replaceExpired(managers: readonly string[]): Promise<NodeCertificate> {
    const { clock, manager } = this.#surroundings;
    const { certificate } = this.credentials;
    const own = manager();
    if (own !== undefined) {
      try {
        const { keyPem, csr } = await newCertificateRequest();
        return accept(certificate.rootPem, keyPem, await own.issueOwnCertificate(csr));
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
      }
    }
    return renewExpired(managers, certificate, clock.nowMs());
  }

  #ringOf(set: KeySet): KeyRing {
    return new KeyRing(set, (next) => this.#saveOwn(next));
  }

  #saveOwn(keys: KeySet | undefined): void {
    const { certificate } = this.credentials;
    this.#write(() => this.#files.saveOwn({ certificate, keys, lock: this.#lock }));
  }

  /** Never tried again: nobody knows what a disk has that failed. */
  #write(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#isEstablished && this.role === NodeRole.MANAGER) this.#surroundings.onFatal(error);
      throw error;
    }
  }
}
