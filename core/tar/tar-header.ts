import { ClusterError } from "../errors.ts";

/** Archives are made of blocks of this size. */
export const BLOCK_BYTES = 512;

/** What stands in one header block. Names are byte strings: one character per byte, because file names are bytes. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  /** The type flag as a character; `\0` reads as `0`. */
  readonly flag: string;
  /** Permissions with setuid, setgid and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly major: number;
  readonly minor: number;
}

const MODE_MASK = 0o7777;
const CHECKSUM_OFFSET = 148;
const CHECKSUM_BYTES = 8;
const BASE256_MARK = 0x80;
const BASE256_NEGATIVE = 0xff;

/**
 * Reads a header block; undefined for a block of zeros, which ends the archive.
 *
 * Knows v7, POSIX ustar and GNU headers, and numbers in base 256.
 *
 * @throws {ClusterError} InvalidArgument when it is none of them.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar, "Basic Tar Format".
 */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  const sum = checksum(block);
  if (sum === CHECKSUM_BYTES * 32 && block.every((byte) => byte === 0)) return undefined;
  if (numberAt(block, CHECKSUM_OFFSET, CHECKSUM_BYTES) !== sum)
    throw malformed("a header's checksum does not match");
  const posix = textAt(block, 257, 6) === "ustar" && block[262] === 0;
  const prefix = posix ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  const flag = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: textAt(block, 157, 100),
    flag: flag === "\0" ? "0" : flag,
    mode: numberAt(block, 100, 8) & MODE_MASK,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    sizeBytes: numberAt(block, 124, 12),
    mtimeSeconds: signedNumberAt(block, 136, 12),
    major: numberAt(block, 329, 8),
    minor: numberAt(block, 337, 8),
  };
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = CHECKSUM_BYTES * 32;
  for (const byte of block) sum += byte;
  for (let i = 0; i < CHECKSUM_BYTES; i++) sum -= block[CHECKSUM_OFFSET + i] ?? 0;
  return sum;
}

/** The error for an archive that breaks the format. */
export function malformed(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `malformed archive: ${reason}`);
}

function textAt(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString("latin1");
}

function numberAt(block: Uint8Array, offset: number, length: number): number {
  const value = signedNumberAt(block, offset, length);
  if (value < 0) throw malformed("a negative number in a header");
  return value;
}

function signedNumberAt(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if (first >= BASE256_MARK) return base256(block.subarray(offset, offset + length), first);
  const text = textAt(block, offset, length).trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw malformed(`${JSON.stringify(text)} is not an octal number`);
  return Number.parseInt(text, 8);
}

/** Two's complement, most significant byte first; of the first byte 0x80 is only the mark. */
function base256(field: Uint8Array, first: number): number {
  const negative = first === BASE256_NEGATIVE;
  if (!negative && first !== BASE256_MARK) throw malformed("a number in a header is too large");
  let value = negative ? -1 : 0;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw malformed("a number in a header is too large");
  return value;
}
