import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import { dataKeyOf } from "../../manager/log/seal/data-key.ts";
import type { KeySet } from "../../manager/log/seal/key-ring.ts";
import { invalidUnlockKey, swarmLocked } from "./refusals.ts";

/** The swarm's unlock key as of a version of it; an empty key: managers start without one. */
export interface Lock {
  readonly key: Uint8Array;
  /** Rises with each change; 0: none was ever learnt of. */
  readonly version: number;
}

/** Who a node is and what it needs to read its own files. */
export interface NodeOwn {
  readonly certificate: NodeCertificate;
  /** Of its manager's log; absent on workers. */
  readonly keys?: KeySet | undefined;
  readonly lock?: Lock | undefined;
}

/** `certificates/node.json`. What is secret is either there in clear or in `sealed`. */
export interface NodeFile extends Omit<NodeCertificate, "keyPem"> {
  readonly lockVersion?: number;
  /** In clear, as by versions before the unlock key. */
  readonly keyPem?: string;
  readonly dataKeys?: StoredKeys;
  /** Base64 of salt, nonce, tag and the sealed JSON of NodeSecrets. */
  readonly sealed?: string;
}

interface NodeSecrets {
  readonly keyPem: string;
  readonly dataKeys?: StoredKeys;
}

/** Base64 of each key's bytes. */
interface StoredKeys {
  readonly current: string;
  readonly older: readonly string[];
  readonly readsClear: boolean;
}

const CIPHER = "aes-256-gcm";
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = SALT_BYTES + NONCE_BYTES + TAG_BYTES;

/** The file as it is written: sealed when there is an unlock key. */
export function encodeNodeFile({ certificate, keys, lock }: NodeOwn): NodeFile {
  const { keyPem, ...shown } = certificate;
  const secrets: NodeSecrets =
    keys === undefined ? { keyPem } : { keyPem, dataKeys: encodeKeys(keys) };
  const open = { ...shown, lockVersion: lock?.version ?? 0 };
  if (lock === undefined || lock.key.length === 0) return { ...open, ...secrets };
  return { ...open, sealed: sealSecrets(secrets, lock, shown.certPem) };
}

/** Whether the file says nothing of use without an unlock key. */
export function isLocked(file: NodeFile): boolean {
  return file.sealed !== undefined;
}

/**
 * Reads the file.
 *
 * @param unlockKey not needed for a file that is not locked.
 * @throws {ClusterError} `Unavailable` when it is locked and no key was given, `Unauthenticated` for a wrong key; both
 * in Docker's words.
 */
export function decodeNodeFile(file: NodeFile, unlockKey?: Uint8Array): NodeOwn {
  const { lockVersion: version = 0, sealed, keyPem: _, dataKeys: __, ...shown } = file;
  if (sealed !== undefined && unlockKey === undefined) throw swarmLocked();
  const key = sealed === undefined || unlockKey === undefined ? new Uint8Array() : unlockKey;
  const secrets =
    sealed === undefined ? file : openSecrets(sealed, { key, version }, shown.certPem);
  const { keyPem = "", dataKeys } = secrets;
  return {
    certificate: { ...shown, keyPem },
    keys: dataKeys === undefined ? undefined : decodeKeys(dataKeys),
    lock: { key, version },
  };
}

function sealSecrets(secrets: NodeSecrets, lock: Lock, certPem: string): string {
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
  const cipher = createCipheriv(CIPHER, fileKey(lock.key, salt), nonce, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(Buffer.from(boundTo(lock, certPem)));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(secrets)), cipher.final()]);
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

function openSecrets(text: string, lock: Lock, certPem: string): NodeSecrets {
  const bytes = Buffer.from(text, "base64");
  const salt = bytes.subarray(0, SALT_BYTES);
  const nonce = bytes.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES);
  const tag = bytes.subarray(SALT_BYTES + NONCE_BYTES, HEAD_BYTES);
  try {
    const cipher = createDecipheriv(CIPHER, fileKey(lock.key, salt), nonce, {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(Buffer.from(boundTo(lock, certPem)));
    cipher.setAuthTag(tag);
    const plain = Buffer.concat([cipher.update(bytes.subarray(HEAD_BYTES)), cipher.final()]);
    return JSON.parse(plain.toString()) as NodeSecrets;
  } catch (cause) {
    if (cause instanceof ClusterError) throw cause;
    throw invalidUnlockKey();
  }
}

/** The part in clear cannot be exchanged either. */
function boundTo({ version }: Lock, certPem: string): string {
  return `muster node file, unlock key ${version}, ${certPem}`;
}

/** The unlock key is 256 random bits: no slow derivation is needed. */
function fileKey(unlockKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", unlockKey, salt, "muster node file", 32));
}

function encodeKeys({ current, older, readsClear }: KeySet): StoredKeys {
  const text = (key: KeySet["current"]): string => Buffer.from(key.bytes).toString("base64");
  return { current: text(current), older: older.map(text), readsClear };
}

function decodeKeys({ current, older, readsClear }: StoredKeys): KeySet {
  const key = (text: string) => dataKeyOf(new Uint8Array(Buffer.from(text, "base64")));
  return { current: key(current), older: older.map(key), readsClear };
}
