import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { accept, renewCertificate, renewExpired } from "../../manager/ca/ca-client.ts";
import { newCertificateRequest } from "../../manager/ca/certificates.ts";
import { NodeCredentials } from "../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import type { Manager } from "../../manager/manager.ts";
import type { NodeRole } from "../../proto/gen/objects.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

/** What an identity needs of the node it is of. */
export interface IdentitySurroundings {
  readonly clock: Pick<Clock, "nowMs">;
  /** The manager part, while there is one. */
  readonly manager: () => Pick<Manager, "issueOwnCertificate"> | undefined;
  readonly onRenewed: () => void;
}

/** Who this node is in its swarm: its certificate and state, in memory and on disk alike. */
export class Identity {
  readonly credentials: NodeCredentials;
  readonly #files: SwarmFiles;
  readonly #surroundings: IdentitySurroundings;
  #state: SwarmState;

  /** Nothing is on disk before the first save. */
  constructor(
    files: SwarmFiles,
    own: { readonly state: SwarmState; readonly certificate: NodeCertificate },
    surroundings: IdentitySurroundings,
  ) {
    this.#files = files;
    this.#surroundings = surroundings;
    this.#state = own.state;
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
    this.#state = { ...this.#state, ...change };
    this.#files.saveState(this.#state);
  }

  saveCertificate(): void {
    this.#files.saveCertificate(this.credentials.certificate);
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
}
