import { ClusterError } from "../../core/errors.ts";

/*
 * `SWMTKN-1-<SHA-256 of the root certificate's DER>-<secret>`, both numbers in base 36 and of fixed width, as Docker
 * writes them. The digest pins the CA before the secret is sent; the secret says which role is asked for.
 * Source: swarmkit, ca/config.go, ParseJoinToken and GenerateJoinToken.
 */

/** What a token holds. Both parts stay text: they are only ever compared. */
export interface JoinToken {
  /** As `base36Digest` writes it. */
  readonly caDigest: string;
  readonly secret: string;
}

const PREFIX = "SWMTKN";
const VERSION = "1";
/** Digits of 2^256 - 1 in base 36. */
const DIGEST_CHARS = 50;
/** Digits of 2^128 - 1 in base 36. */
const SECRET_CHARS = 25;
/** Bytes of randomness in a token. */
export const SECRET_BYTES = 16;

/** Writes a token from a SHA-256 digest and `SECRET_BYTES` random bytes. */
export function formatJoinToken(caDigest: Uint8Array, secret: Uint8Array): string {
  return [PREFIX, VERSION, base36Digest(caDigest), base36(secret, SECRET_CHARS)].join("-");
}

/** The digest in the form tokens have it. */
export function base36Digest(caDigest: Uint8Array): string {
  return base36(caDigest, DIGEST_CHARS);
}

/**
 * Reads a token; the error never repeats it.
 *
 * @throws {ClusterError} `InvalidArgument` for anything but a whole token of version 1.
 */
export function parseJoinToken(text: string): JoinToken {
  const [prefix, version, caDigest = "", secret = "", ...rest] = text.trim().split("-");
  if (prefix !== PREFIX || rest.length > 0) throw invalid("it does not have the form of one");
  if (version !== VERSION) throw invalid(`this program knows version ${VERSION} only`);
  if (!isBase36(caDigest, DIGEST_CHARS) || !isBase36(secret, SECRET_CHARS)) {
    throw invalid("it is cut off or mistyped");
  }
  return { caDigest, secret };
}

function invalid(why: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid join token: ${why}; a manager prints the whole one with 'swarm join-token worker' or 'swarm join-token manager'`,
  );
}

function isBase36(text: string, chars: number): boolean {
  return text.length === chars && /^[0-9a-z]+$/.test(text);
}

function base36(bytes: Uint8Array, chars: number): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  return number.toString(36).padStart(chars, "0");
}
