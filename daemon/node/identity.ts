import { ClusterError } from "../../core/errors.ts";
import { renewCertificate } from "../../manager/ca/ca-client.ts";
import { NodeCredentials } from "../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import type { NodeRole } from "../../proto/gen/objects.ts";
import type { SwarmFiles, SwarmState } from "./swarm-files.ts";

/** Who this node is in its swarm: its certificate and state, in memory and on disk alike. */
export class Identity {
  readonly credentials: NodeCredentials;
  readonly #files: SwarmFiles;
  #state: SwarmState;

  /** Nothing is on disk before the first save. */
  constructor(
    files: SwarmFiles,
    own: { readonly state: SwarmState; readonly certificate: NodeCertificate },
  ) {
    this.#files = files;
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

  /**
   * Gets the next certificate, for the role the swarm wants of this node now, and takes it into use.
   *
   * @param addr host:port of any manager; undefined when none is known.
   * @throws {ClusterError} `PermissionDenied` when the node was removed, `Unavailable` when no leader could be asked.
   */
  async renew(addr: string | undefined): Promise<void> {
    if (addr === undefined) throw new ClusterError("Unavailable", "no manager is known");
    this.credentials.replace(await renewCertificate(addr, this.credentials));
    this.saveCertificate();
  }
}
