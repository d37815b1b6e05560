import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { type CertificateLife, CertificateRenewal } from "../../manager/ca/renewal.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import type { Identity } from "./identity.ts";
import type { ManagerPart } from "./manager-part.ts";
import type { Serial } from "./serial.ts";

/** Wait after a failure; twice as long with each one that follows. */
export const SETTLE_FIRST_MS = 1000;
export const SETTLE_MAX_MS = 30_000;

export interface RolesParts {
  readonly identity: Pick<Identity, "role" | "isExpired" | "renew"> & {
    readonly credentials: { readonly facts: CertificateLife };
  };
  readonly managerPart: Pick<ManagerPart, "run" | "end">;
  /** host:port of the managers that are known. */
  readonly findManagers: () => readonly string[];
  /** What is done here waits for its turn among the node's other work. */
  readonly serial: Serial;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Keeps this node in the role the swarm wants: renews its certificate, in time and when told of another role, and runs
 * the manager part or none as the certificate says. From its making to `close`.
 */
export class Roles {
  readonly #parts: RolesParts;
  readonly #renewal: CertificateRenewal;
  /** What the swarm said last, unless the certificate is newer. */
  #wanted: NodeRole | undefined;
  #error = "";
  #failures = 0;
  #cancelRetry: () => void = () => undefined;
  #closed = false;

  constructor(parts: RolesParts) {
    const { identity, clock, random, log } = parts;
    this.#parts = parts;
    this.#renewal = new CertificateRenewal({
      credentials: identity.credentials,
      renew: () => this.#renew(),
      clock,
      random,
      log,
    });
  }

  /** Why this node is not what it should be; empty when it is. One failure is no news: the group takes its moment. */
  get error(): string {
    if (this.#renewal.error !== "") return this.#renewal.error;
    return this.#failures > 1 ? this.#error : "";
  }

  /** The swarm wants this role of the node. Resolves after the first try; others follow until it has it. */
  want(role: NodeRole): Promise<void> {
    this.#wanted = role;
    this.#cancelRetry();
    return this.#parts.serial.run(() => this.#settle(role));
  }

  /** Its manager part was ended from outside. What the swarm wants of it has not changed by that. */
  settleAgain(): Promise<void> {
    return this.want(this.#wanted ?? this.#parts.identity.role);
  }

  /**
   * The node needs a new certificate at once: the swarm said so, or its key lay on the disk in clear. When that fails,
   * the swarm says so again, or the renewal in its time does it.
   */
  async renewNow(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#parts.log.warn("cannot renew the certificate yet", { error: error.message });
    }
  }

  /** The certificate was replaced. */
  onRenewed(): void {
    if (!this.#closed) this.#renewal.onReplaced();
  }

  /** What is under way ends in its turn; nothing new begins. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#renewal.close();
  }

  #renew(): Promise<void> {
    const { serial, identity, findManagers } = this.#parts;
    return serial.run(async () => {
      if (this.#closed) return;
      // Its manager part can sign its next certificate, and perhaps nobody else can; it must run for that.
      if (identity.isExpired && identity.role === NodeRole.MANAGER) {
        await this.#settle(identity.role);
      }
      await identity.renew(findManagers());
      this.#wanted = identity.role;
      await this.#settle(identity.role);
    });
  }

  /** The certificate first: it may have to wait until the managers' group has let the node in or go. */
  async #settle(wanted: NodeRole): Promise<void> {
    if (this.#closed) return;
    const { identity, findManagers, managerPart, log } = this.#parts;
    try {
      const before = identity.role;
      if (wanted !== before) await identity.renew(findManagers());
      if (wanted !== identity.role) {
        throw new ClusterError("Unavailable", "the new certificate is for the old role still");
      }
      if (identity.role === NodeRole.MANAGER) await managerPart.run();
      else await managerPart.end();
      if (identity.role !== before) log.info("this node has a new role", { role: identity.role });
      this.#error = "";
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#error = error.message;
      this.#retryLater(wanted);
    }
  }

  #retryLater(wanted: NodeRole): void {
    const { clock, log } = this.#parts;
    const delayMs = Math.min(SETTLE_FIRST_MS * 2 ** this.#failures, SETTLE_MAX_MS);
    this.#failures++;
    log.warn("cannot take the role yet", { role: wanted, error: this.#error, retryMs: delayMs });
    this.#cancelRetry();
    this.#cancelRetry = clock.after(delayMs, () => void this.want(wanted));
  }
}
