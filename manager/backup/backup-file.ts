import { createCipheriv, createDecipheriv, createHash, hkdfSync, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { ClusterError } from "../../core/errors.ts";
import { SNAPSHOT_PART_BYTES } from "../log/replicated-log.ts";
import { ChunkReader } from "./chunk-reader.ts";

/*
 * A backup file: two lines of text, then chunks.
 *
 *     muster backup 1
 *     {"clusterId":…}
 *     u32 length, top bit set on the last chunk | sealed bytes | 16 bytes of tag …
 *
 * The key is made of a secret by scrypt and bound to both lines by HKDF, so nothing in them can be changed. Each chunk is
 * sealed by AES-256-GCM under its number, and says whether it is the last: chunks cannot be exchanged, left out, repeated,
 * taken from another file or cut off. The first chunk is empty: it tells a wrong secret from a damaged file.
 */

const MAGIC = "muster backup 1";
const LINE_BYTES_MAX = 4096;
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const HEAD_BYTES = 4;
const LAST = 0x80000000;
const CHUNK_BYTES_MAX = 8 * SNAPSHOT_PART_BYTES;
export const SALT_BYTES = 16;
/** Cost of each guess: 2^15 · 8 · 128 bytes (32 MiB) of memory. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
/** Shorter ones are guessed, whatever a guess costs. */
export const PASSPHRASE_CHARS_MIN = 12;

/** What stands in a backup in clear. */
export interface BackupHeader {
  readonly clusterId: string;
  /** Of the last log entry in it. */
  readonly index: number;
  readonly createdAtMs: number;
  /** Of the muster that made it. */
  readonly version: string;
  /** What opens it. */
  readonly secret: "passphrase" | "unlock key";
  /** Base64. */
  readonly salt: string;
}

const deriveKey = promisify<string, Uint8Array, number, typeof SCRYPT, Buffer>(scrypt);

/** The file's bytes, as the parts come. @param secret the passphrase, or the swarm's unlock key as text. */
export async function* sealBackup(
  header: BackupHeader,
  parts: AsyncIterable<Uint8Array>,
  secret: string,
): AsyncGenerator<Uint8Array> {
  const lines = `${MAGIC}\n${JSON.stringify(header)}\n`;
  const key = await fileKey(lines, header, secret);
  yield Buffer.from(lines);
  yield seal(key, 0, new Uint8Array(0), false);
  let number = 1;
  // One behind: only at the end is known which is the last.
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    if (held !== undefined) yield seal(key, number++, held, false);
    held = part;
  }
  yield seal(key, number, held ?? new Uint8Array(0), true);
}

/** A backup being read: its header, then its parts in order. */
export interface OpenedBackup {
  readonly header: BackupHeader;
  /** @throws {ClusterError} `DataLoss` naming the byte, on the first that is not as it was sealed. */
  readonly parts: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file's bytes.
 *
 * @throws {ClusterError} `InvalidArgument` for what is no backup, `Unauthenticated` for a wrong secret.
 */
export async function openBackup(
  bytes: AsyncIterable<Uint8Array>,
  secretOf: (header: BackupHeader) => string,
): Promise<OpenedBackup> {
  const reader = new ChunkReader(bytes);
  const [magic, text = ""] = [await reader.line(LINE_BYTES_MAX), await reader.line(LINE_BYTES_MAX)];
  const header = magic === MAGIC ? parseHeader(text) : undefined;
  if (header === undefined) {
    const what = magic?.startsWith("muster backup") ? "it is of another version" : "it is none";
    throw new ClusterError("InvalidArgument", `cannot read the backup: ${what}`);
  }
  const key = await fileKey(`${magic}\n${text}\n`, header, secretOf(header));
  if ((await nextChunk(reader, key, 0)) === undefined) {
    throw new ClusterError(
      "Unauthenticated",
      `cannot open the backup of ${new Date(header.createdAtMs).toISOString()}: the ${header.secret} is not the one it was ` +
        "made with, or its beginning was changed",
    );
  }
  return { header, parts: partsOf(reader, key) };
}

async function* partsOf(reader: ChunkReader, key: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let number = 1; ; number++) {
    const { offset } = reader;
    const chunk = await nextChunk(reader, key, number);
    if (chunk === undefined) throw damaged(offset, "it was changed or cut off here");
    yield chunk.bytes;
    if (!chunk.isLast) continue;
    if ((await reader.take(1)).length > 0)
      throw damaged(reader.offset, "something follows its end");
    return;
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Undefined when what comes is not the chunk of this number. */
async function nextChunk(
  reader: ChunkReader,
  key: Uint8Array,
  number: number,
): Promise<Chunk | undefined> {
  const head = await reader.take(HEAD_BYTES);
  if (head.length < HEAD_BYTES) return undefined;
  const isLast = (head.readUInt32BE(0) & LAST) !== 0;
  const length = head.readUInt32BE(0) % LAST;
  if (length > CHUNK_BYTES_MAX) return undefined;
  const sealed = await reader.take(length + TAG_BYTES);
  if (sealed.length < length + TAG_BYTES) return undefined;
  const cipher = createDecipheriv(CIPHER, key, nonceOf(number), { authTagLength: TAG_BYTES });
  cipher.setAAD(head);
  cipher.setAuthTag(sealed.subarray(length));
  const bytes = cipher.update(sealed.subarray(0, length));
  try {
    cipher.final();
  } catch {
    return undefined;
  }
  return { bytes, isLast };
}

function seal(key: Uint8Array, number: number, bytes: Uint8Array, isLast: boolean): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(bytes.length + (isLast ? LAST : 0));
  const cipher = createCipheriv(CIPHER, key, nonceOf(number), { authTagLength: TAG_BYTES });
  cipher.setAAD(head);
  const sealed = cipher.update(bytes);
  cipher.final();
  return Buffer.concat([head, sealed, cipher.getAuthTag()]);
}

/** The key is of this file alone, so a number is never used twice under it. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 4);
  return nonce;
}

async function fileKey(lines: string, header: BackupHeader, secret: string): Promise<Uint8Array> {
  const salt = Buffer.from(header.salt, "base64");
  const guessed = await deriveKey(secret.normalize("NFC"), salt, KEY_BYTES, SCRYPT);
  const digest = createHash("sha256").update(lines).digest();
  return new Uint8Array(hkdfSync("sha256", guessed, digest, "muster backup", KEY_BYTES));
}

function parseHeader(text: string): BackupHeader | undefined {
  try {
    const header = JSON.parse(text) as BackupHeader;
    const isWhole =
      typeof header.clusterId === "string" &&
      typeof header.salt === "string" &&
      Number.isSafeInteger(header.index) &&
      Number.isSafeInteger(header.createdAtMs) &&
      (header.secret === "passphrase" || header.secret === "unlock key");
    return isWhole ? header : undefined;
  } catch {
    return undefined;
  }
}

function damaged(offset: number, why: string): ClusterError {
  return new ClusterError(
    "DataLoss",
    `the backup is damaged at byte ${offset}: ${why}; use another one`,
    {
      details: { offset },
    },
  );
}
