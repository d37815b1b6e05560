import { BLOCK_BYTES, checksum } from "./tar-header.ts";
import type { TarEntry, TarType } from "./tar-reader.ts";
import { tarPadding } from "./tar-writer.ts";

const NAME_BYTES_MAX = 100;
/** Seven octal digits. */
const OWNER_MAX = 0o7777777;
/** Eleven octal digits. */
const SIZE_MAX = 8 ** 11 - 1;
const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  charDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
};

/**
 * The header of an entry, with an extended one before it for what the plain one cannot hold. Names are byte strings.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 */
export function encodeTarEntry(entry: TarEntry): Uint8Array {
  const records = extendedRecords(entry);
  const header = encodeHeader(entry, FLAGS[entry.type], entry.sizeBytes);
  if (records.length === 0) return header;
  const named = { ...entry, name: "PaxHeader", linkName: "", mode: 0o644 };
  const extended = encodeHeader(named, "x", records.length);
  return Buffer.concat([extended, records, tarPadding(records.length), header]);
}

function encodeHeader(entry: TarEntry, flag: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(entry.name.slice(0, NAME_BYTES_MAX), 0, "latin1");
  block.write(octal(entry.mode, 7), 100);
  block.write(octal(Math.min(entry.uid, OWNER_MAX), 7), 108);
  block.write(octal(Math.min(entry.gid, OWNER_MAX), 7), 116);
  block.write(octal(Math.min(sizeBytes, SIZE_MAX), 11), 124);
  block.write(octal(Math.max(0, Math.min(entry.mtime.seconds, SIZE_MAX)), 11), 136);
  block.write(flag, 156);
  block.write(entry.linkName.slice(0, NAME_BYTES_MAX), 157, "latin1");
  block.write("ustar\u000000", 257);
  block.write(octal(entry.major, 7), 329);
  block.write(octal(entry.minor, 7), 337);
  block.write(`${octal(checksum(block), 6)}\0 `, 148);
  return block;
}

function extendedRecords(entry: TarEntry): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array): number => records.push(record(key, value));
  if (entry.name.length > NAME_BYTES_MAX) add("path", entry.name);
  if (entry.linkName.length > NAME_BYTES_MAX) add("linkpath", entry.linkName);
  if (entry.uid > OWNER_MAX) add("uid", String(entry.uid));
  if (entry.gid > OWNER_MAX) add("gid", String(entry.gid));
  if (entry.sizeBytes > SIZE_MAX) add("size", String(entry.sizeBytes));
  for (const [name, value] of entry.xattrs) add(`SCHILY.xattr.${name}`, value);
  return Buffer.concat(records);
}

/** The length at its beginning counts its own digits. */
function record(key: string, value: string | Uint8Array): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(value);
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytes, Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
