import { ClusterError } from "../../core/errors.ts";
import type { Digest } from "./types.ts";

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const SHORT_LENGTH = 12;

/** Whether `text` is a digest as this store knows them. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @throws {ClusterError} InvalidArgument when `text` is not `sha256:` and 64 lower-case hexadecimal characters. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ClusterError(
    "InvalidArgument",
    `invalid digest ${JSON.stringify(text.slice(0, 100))}: want sha256: and 64 lower-case hexadecimal characters`,
  );
}

/** The digest whose hexadecimal part is `hex`. */
export function digestOfHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** The part after `sha256:`; the name of its file. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** Twelve characters, as people see images and layers. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, SHORT_LENGTH);
}
