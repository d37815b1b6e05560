import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import type { NodeCredentials } from "./credentials.ts";
import type { CertificateFacts } from "./node-certificate.ts";

/** Part of its life after which a certificate is renewed: somewhere between, so that nodes do not all come at once. */
const EARLIEST = 0.5;
const LATEST = 0.8;
/** Timers cannot be set for months, and the wall clock may be put right meanwhile: look again at least this often. */
export const LOOK_MS = 60 * 60 * 1000;
/** At least this long between two renewals: one that failed has days left, one that gave nothing new must not spin. */
export const RETRY_MS = 60 * 1000;

/** The moment to renew at, milliseconds since 1970. Source: swarmkit, ca/renewer.go, calculateRandomExpiry. */
export function renewAtMs(
  { notBeforeMs, notAfterMs }: Pick<CertificateFacts, "notBeforeMs" | "notAfterMs">,
  random: Random,
): number {
  const part = EARLIEST + random.next() * (LATEST - EARLIEST);
  return notBeforeMs + part * (notAfterMs - notBeforeMs);
}

/** What renewal works with. */
export interface RenewalParts {
  /** Shows the certificate in use. */
  readonly credentials: Pick<NodeCredentials, "facts">;
  /** Gets the next certificate and takes it into use. @throws {ClusterError} when there is none to be had now. */
  readonly renew: () => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Renews a node's certificate in time, for as long as it is a member of the swarm. From its making to `close`. */
export class CertificateRenewal {
  readonly #parts: RenewalParts;
  #dueMs: number;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#dueMs = renewAtMs(parts.credentials.facts, parts.random);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #arm(atLeastMs = 0): void {
    if (this.#closed) return;
    const waitMs = Math.max(this.#dueMs - this.#parts.clock.nowMs(), atLeastMs);
    this.#cancel = this.#parts.clock.after(Math.min(waitMs, LOOK_MS), () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, random, log, credentials, renew } = this.#parts;
    if (clock.nowMs() < this.#dueMs) {
      this.#arm();
      return;
    }
    try {
      await renew();
      const { notAfterMs } = credentials.facts;
      this.#dueMs = renewAtMs(credentials.facts, random);
      log.info("certificate renewed", { validUntil: new Date(notAfterMs).toISOString() });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      const validUntil = new Date(credentials.facts.notAfterMs).toISOString();
      log.warn("cannot renew the certificate yet", { error: error.message, validUntil });
    }
    this.#arm(RETRY_MS);
  }
}
