import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { assert } from "../../../core/assert.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { DataKey, DataKeys, RandomBytes } from "./data-key.ts";

/** Drawn for each file. */
export const SEED_BYTES = 12;
const CIPHER = "aes-256-gcm";
const FILE_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Bytes that sealing adds to a record. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/** What stands in clear at a sealed file's start: which key, and the seed of the file's own. */
export interface SealHead {
  readonly keyId: string;
  readonly seed: Uint8Array;
}

/**
 * Seals the records of one file: AES-256-GCM under a key of the file's own, made of the data key, the seed and what the
 * file is. A record opens only in its file and at its place.
 *
 * A nonce must never come twice under one key. It is random, and a file has some 100,000 records at most, so two equal
 * ones are less likely than 2^-60; a counter would repeat itself when a torn record's place is written again.
 */
export class FileSeal {
  readonly head: SealHead;
  readonly #fileKey: Uint8Array;
  readonly #random: RandomBytes;

  private constructor(head: SealHead, fileKey: Uint8Array, random: RandomBytes) {
    this.head = head;
    this.#fileKey = fileKey;
    this.#random = random;
  }

  /** @param file what the file is, the same at reading: `segment 3 of member 7`. */
  static begin(keys: DataKeys, file: string): FileSeal {
    const head = { keyId: keys.current.id, seed: Uint8Array.from(keys.random(SEED_BYTES)) };
    return new FileSeal(head, fileKey(keys.current, head.seed, file), keys.random);
  }

  /**
   * What opens the records of the file at `path`, and seals more of them; undefined when it is rightly in clear.
   *
   * @throws {ClusterError} `FailedPrecondition` when its key is not among `keys`, `DataLoss` for a file in clear where
   * all are sealed: somebody else put it there.
   */
  static of(
    path: string,
    head: SealHead | undefined,
    { keys, file }: { readonly keys: DataKeys | undefined; readonly file: string },
  ): FileSeal | undefined {
    if (head === undefined) {
      if (keys !== undefined && !keys.readsClear) throw notOfItsMaking(path);
      return undefined;
    }
    const key = keys?.find(head.keyId);
    if (keys === undefined || key === undefined) throw keyMissing(path, head.keyId);
    return new FileSeal(head, fileKey(key, head.seed, file), keys.random);
  }

  /** @param place where in the file, the same at reading; no two records of a file have the same. */
  seal(plain: Uint8Array, place: string): Uint8Array {
    const nonce = this.#random(NONCE_BYTES);
    assert(nonce.length === NONCE_BYTES, "a nonce has 96 bits");
    const cipher = createCipheriv(CIPHER, this.#fileKey, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    const sealed = cipher.update(plain);
    cipher.final();
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
  }

  /** Undefined when these are not the bytes that were sealed for this place. */
  open(sealed: Uint8Array, place: string): Uint8Array | undefined {
    if (sealed.length < SEAL_BYTES) return undefined;
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(sealed.length - TAG_BYTES);
    const cipher = createDecipheriv(CIPHER, this.#fileKey, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    cipher.setAuthTag(tag);
    const plain = cipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
    try {
      cipher.final();
    } catch {
      return undefined;
    }
    return plain;
  }
}

function notOfItsMaking(path: string): ClusterError {
  return new ClusterError(
    "DataLoss",
    `cannot use ${path}: it is in clear, and this manager seals its files: it is not of its making`,
    { details: { file: path, offset: 0 } },
  );
}

function keyMissing(path: string, keyId: string): ClusterError {
  return new ClusterError(
    "FailedPrecondition",
    `cannot read ${path}: it is sealed with the data key ${keyId}, which the node's own file does not hold; ` +
      "put back the two from the same backup, or remove this manager from the swarm and join it again",
    { details: { file: path, keyId } },
  );
}

function fileKey(key: DataKey, seed: Uint8Array, file: string): Uint8Array {
  const info = `muster log file: ${file}`;
  return new Uint8Array(hkdfSync("sha256", key.bytes, seed, info, FILE_KEY_BYTES));
}
