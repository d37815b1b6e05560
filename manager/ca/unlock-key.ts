import { ClusterError } from "../../core/errors.ts";

/** The unlock key as people keep it. Source: swarmkit, manager/encryption, HumanReadableKey. */
const PREFIX = "SWMKEY-1-";
const DIGITS = /^[A-Za-z0-9+/]{43}$/;

export const UNLOCK_KEY_BYTES = 32;

/** Base64 without padding. */
export function formatUnlockKey(key: Uint8Array): string {
  return `${PREFIX}${Buffer.from(key).toString("base64").replace(/=+$/, "")}`;
}

/** Inverse of `formatUnlockKey`. @throws {ClusterError} `InvalidArgument` with Docker's words; they do not repeat the text. */
export function parseUnlockKey(text: string): Uint8Array {
  const digits = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : "";
  const key = DIGITS.test(digits) ? new Uint8Array(Buffer.from(digits, "base64")) : undefined;
  if (key?.length === UNLOCK_KEY_BYTES) return key;
  throw new ClusterError("InvalidArgument", "invalid key string");
}
