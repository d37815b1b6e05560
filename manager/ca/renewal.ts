import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { BACKDATE_MS } from "./certificates.ts";
import type { CertificateFacts } from "./node-certificate.ts";

/** Part of its life after which a certificate is renewed: somewhere between, so that nodes do not all come at once. */
const EARLIEST = 0.5;
const LATEST = 0.8;
/** Timers count no time in which the machine sleeps, and the wall clock may be put right meanwhile: look this often. */
export const LOOK_MS = 10 * 1000;
/** At least this long between two renewals: one that failed has days left, one that gave nothing new must not spin. */
export const RETRY_MS = 60 * 1000;
/** The same for a certificate that has expired: until it is renewed the node is shut out. */
export const EXPIRED_RETRY_MS = 5 * 1000;

/** From when until when a certificate holds; milliseconds since 1970. */
export type CertificateLife = Pick<CertificateFacts, "notBeforeMs" | "notAfterMs">;

/**
 * The moment to renew at, milliseconds since 1970. Life is counted from when the certificate was made, which is later
 * than when it began to hold.
 *
 * Source: swarmkit, ca/renewer.go, calculateRandomExpiry.
 */
export function renewAtMs({ notBeforeMs, notAfterMs }: CertificateLife, random: Random): number {
  const part = EARLIEST + random.next() * (LATEST - EARLIEST);
  const madeMs = Math.min(notBeforeMs + BACKDATE_MS, notAfterMs);
  return madeMs + part * (notAfterMs - madeMs);
}

/** What renewal works with. */
export interface RenewalParts {
  /** Shows the certificate in use. */
  readonly credentials: { readonly facts: CertificateLife };
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
  /** No try before this; monotonic. */
  #restUntilMs = 0;
  #error = "";
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#dueMs = renewAtMs(parts.credentials.facts, parts.random);
    this.#arm();
  }

  /** Why this node is shut out: its certificate has expired, and what kept it from the next. Empty when it has not. */
  get error(): string {
    if (this.#error === "" || !this.#isExpired) return "";
    return `the certificate of this node expired on ${this.#validUntil}: ${this.#error}`;
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** The certificate was replaced for another reason: its successor's time counts now. */
  onReplaced(): void {
    this.#dueMs = renewAtMs(this.#parts.credentials.facts, this.#parts.random);
    this.#error = "";
    this.#rest();
  }

  get #isExpired(): boolean {
    return this.#parts.clock.nowMs() > this.#parts.credentials.facts.notAfterMs;
  }

  get #validUntil(): string {
    return new Date(this.#parts.credentials.facts.notAfterMs).toISOString();
  }

  /** Lets time pass before the next try, if one would be due at once. */
  #rest(): void {
    const { clock } = this.#parts;
    const isDue = clock.nowMs() >= this.#dueMs;
    const retryMs = this.#isExpired ? EXPIRED_RETRY_MS : RETRY_MS;
    this.#restUntilMs = clock.monotonicMs() + (isDue ? retryMs : 0);
    this.#arm();
  }

  #arm(): void {
    this.#cancel();
    if (this.#closed) return;
    const { clock } = this.#parts;
    const restMs = this.#restUntilMs - clock.monotonicMs();
    const waitMs = Math.max(this.#dueMs - clock.nowMs(), restMs, 0);
    this.#cancel = clock.after(Math.min(waitMs, LOOK_MS), () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, random, log, credentials, renew } = this.#parts;
    if (clock.nowMs() < this.#dueMs || clock.monotonicMs() < this.#restUntilMs) {
      this.#arm();
      return;
    }
    try {
      await renew();
      this.#dueMs = renewAtMs(credentials.facts, random);
      this.#error = "";
      log.info("certificate renewed", { validUntil: this.#validUntil });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#error = error.message;
      log.warn("cannot renew the certificate yet", {
        error: error.message,
        validUntil: this.#validUntil,
      });
    }
    this.#rest();
  }
}
