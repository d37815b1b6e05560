import { assert } from "../assert.ts";
import { checksum } from "./tar-header.ts";

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const FILE_MODE = "0000644";
const DIRECTORY_MODE = "0000755";
/** What eleven octal digits hold; more is written in binary, as GNU tar does. */
const OCTAL_SIZE_MAX = 8 ** 11 - 1;

/** What an archive ends with. */
export const ARCHIVE_END: Uint8Array = new Uint8Array(2 * BLOCK);

/**
 * The header of a file or, when its name ends with a slash, of a directory; of root's and of no time, so that the same
 * content gives the same archive.
 *
 * Source: POSIX pax, "ustar Interchange Format".
 */
export function tarHeader(name: string, sizeBytes: number): Uint8Array {
  assert(Buffer.byteLength(name) <= NAME_BYTES_MAX, `${name} is too long for a plain tar header`);
  const isDirectory = name.endsWith("/");
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(isDirectory ? DIRECTORY_MODE : FILE_MODE, 100);
  block.write("0000000", 108);
  block.write("0000000", 116);
  writeSize(block, sizeBytes);
  block.write("00000000000", 136);
  block.write(isDirectory ? "5" : "0", 156);
  block.write("ustar\u000000", 257);
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** What follows a file's content up to a whole block. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

function writeSize(block: Buffer, sizeBytes: number): void {
  if (sizeBytes <= OCTAL_SIZE_MAX) {
    block.write(sizeBytes.toString(8).padStart(11, "0"), 124);
    return;
  }
  block.writeUInt8(0x80, 124);
  block.writeBigUInt64BE(BigInt(sizeBytes), 128);
}
