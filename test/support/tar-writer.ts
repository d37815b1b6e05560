import { checksum } from "../../core/tar/tar-header.ts";

/** A file to be packed; what is not given is ordinary. */
export interface TarInput {
  readonly name: string;
  /** Default: file; directory when the name ends with a slash. */
  readonly type?:
    | "file"
    | "hardLink"
    | "symlink"
    | "charDevice"
    | "blockDevice"
    | "directory"
    | "fifo";
  readonly content?: string | Uint8Array;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
/** Seven octal digits. */
const OWNER_MAX = 0o7777777;
const FLAGS = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  charDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
} as const;

/** Packs files in POSIX format, with extended headers where the plain one cannot hold a value. Nothing is checked: tests need bad archives too. */
export function packTar(inputs: readonly TarInput[]): Buffer {
  const blocks = inputs.flatMap(packEntry);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function packEntry(input: TarInput): Buffer[] {
  const content = Buffer.from(input.content ?? "");
  const extended = extendedRecords(input);
  const blocks = [header(input, FLAGS[typeOf(input)], content.length), ...padded(content)];
  if (extended.length === 0) return blocks;
  return [header({ name: "PaxHeader" }, "x", extended.length), ...padded(extended), ...blocks];
}

function typeOf({ type, name }: TarInput): keyof typeof FLAGS {
  return type ?? (name.endsWith("/") ? "directory" : "file");
}

function header(input: TarInput, flag: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const mode = input.mode ?? (flag === FLAGS.directory ? 0o755 : 0o644);
  block.write(input.name.slice(0, NAME_BYTES_MAX), 0, NAME_BYTES_MAX);
  block.write(octal(mode, 7), 100);
  block.write(octal(Math.min(input.uid ?? 0, OWNER_MAX), 7), 108);
  block.write(octal(Math.min(input.gid ?? 0, OWNER_MAX), 7), 116);
  block.write(octal(sizeBytes, 11), 124);
  block.write(octal(input.mtimeSeconds ?? 0, 11), 136);
  block.write(flag, 156);
  block.write((input.linkName ?? "").slice(0, NAME_BYTES_MAX), 157, NAME_BYTES_MAX);
  block.write("ustar\u000000", 257);
  block.write(octal(input.major ?? 0, 7), 329);
  block.write(octal(input.minor ?? 0, 7), 337);
  block.write(`${octal(checksum(block), 6)}\0 `, 148);
  return block;
}

function extendedRecords(input: TarInput): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array): number => records.push(record(key, value));
  if (Buffer.byteLength(input.name) > NAME_BYTES_MAX) add("path", input.name);
  if (Buffer.byteLength(input.linkName ?? "") > NAME_BYTES_MAX)
    add("linkpath", input.linkName ?? "");
  if ((input.uid ?? 0) > OWNER_MAX) add("uid", String(input.uid));
  if ((input.gid ?? 0) > OWNER_MAX) add("gid", String(input.gid));
  for (const [name, value] of Object.entries(input.xattrs ?? {}))
    add(`SCHILY.xattr.${name}`, value);
  return Buffer.concat(records);
}

/** The length at its beginning counts its own digits. */
function record(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function padded(content: Buffer): Buffer[] {
  const rest = content.length % BLOCK;
  return rest === 0 ? [content] : [content, Buffer.alloc(BLOCK - rest)];
}
