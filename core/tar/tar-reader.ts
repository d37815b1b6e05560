import { ClusterError } from "../errors.ts";
import { type PaxRecords, parsePaxRecords, paxNumber, paxText, paxTime } from "./pax.ts";
import { BLOCK_BYTES, malformed, parseTarHeader, type TarHeader } from "./tar-header.ts";

/** What an entry is. */
export type TarType =
  | "file"
  | "hardLink"
  | "symlink"
  | "charDevice"
  | "blockDevice"
  | "directory"
  | "fifo";

/** One file of an archive. Names are byte strings: one character per byte. */
export interface TarEntry {
  readonly type: TarType;
  readonly name: string;
  /** Of links. */
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the content that follows; zero unless a file. */
  readonly sizeBytes: number;
  readonly mtime: { readonly seconds: number; readonly nanos: number };
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** What is told of an archive, in its order: entry, its content in pieces, end; then the next entry. */
export interface TarSink {
  onEntry(entry: TarEntry): void;
  /** Only valid during the call. */
  onContent(bytes: Uint8Array): void;
  onEntryEnd(): void;
}

/** Of one archive. */
export const ENTRIES_MAX = 1_000_000;
/** Of one extended header: longest name, attributes of 64 KiB each. */
const EXTENDED_BYTES_MAX = 1024 * 1024;
/** Of a user or a group. Source: chown(2), uid_t. */
const OWNER_MAX = 2 ** 32 - 1;
const XATTR_PREFIX = "SCHILY.xattr.";
const SPARSE_PREFIX = "GNU.sparse.";

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "1": "hardLink",
  "2": "symlink",
  "3": "charDevice",
  "4": "blockDevice",
  "5": "directory",
  "6": "fifo",
  "7": "file",
};

/**
 * Takes an archive apart as its bytes come, in pieces of any size. Holds no content and does no I/O.
 *
 * Knows POSIX extended headers (raw bytes, for attributes), GNU long names and numbers in base 256, all of which
 * images have; tar-stream and others lose some of them.
 */
export class TarReader {
  readonly #sink: TarSink;
  /** The header or extended header being collected. */
  #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  /** What `#block` will be: "content" passes through instead. */
  #reading: "header" | "extended" | "content" | "padding" | "end" = "header";
  #remaining = 0;
  #padding = 0;
  /** Empty: of an entry itself. */
  #extendedFlag = "";
  #global: PaxRecords = new Map();
  #local: PaxRecords = new Map();
  #longName: string | undefined;
  #longLink: string | undefined;
  #entries = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws {ClusterError} InvalidArgument when malformed, ResourceExhausted above a limit; what the sink throws. */
  push(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length && this.#reading !== "end"; ) {
      if (this.#reading === "content") offset += this.#passContent(chunk.subarray(offset));
      else if (this.#reading === "padding") offset += this.#skipPadding(chunk.length - offset);
      else offset += this.#collect(chunk.subarray(offset));
    }
  }

  /**
   * Says that no more comes. @throws {ClusterError} DataLoss when an entry is not whole.
   *
   * The last one's padding may be missing: so ends what `docker build -f` sends, and Go's reader takes it.
   */
  finish(): void {
    if (this.#reading === "end") return;
    if (this.#reading === "header" && this.#filled === 0) return;
    if (this.#reading === "padding" && this.#extendedFlag === "") return;
    throw new ClusterError("DataLoss", "truncated archive: it ends inside an entry");
  }

  #passContent(bytes: Uint8Array): number {
    const piece = bytes.subarray(0, this.#remaining);
    this.#sink.onContent(piece);
    this.#remaining -= piece.length;
    if (this.#remaining === 0) this.#endEntry();
    return piece.length;
  }

  #endEntry(): void {
    this.#sink.onEntryEnd();
    this.#startPadding();
  }

  #startPadding(): void {
    this.#reading = this.#padding === 0 ? "header" : "padding";
  }

  #skipPadding(available: number): number {
    const skipped = Math.min(available, this.#padding);
    this.#padding -= skipped;
    if (this.#padding === 0) this.#reading = "header";
    return skipped;
  }

  #collect(bytes: Uint8Array): number {
    const piece = bytes.subarray(0, this.#block.length - this.#filled);
    this.#block.set(piece, this.#filled);
    this.#filled += piece.length;
    if (this.#filled < this.#block.length) return piece.length;
    const block = this.#block;
    const wasHeader = this.#reading === "header";
    this.#filled = 0;
    this.#block = new Uint8Array(BLOCK_BYTES);
    if (wasHeader) this.#onHeader(block);
    else this.#onExtended(block);
    return piece.length;
  }

  #onHeader(block: Uint8Array): void {
    const header = parseTarHeader(block);
    if (header === undefined) {
      this.#reading = "end";
      return;
    }
    if (++this.#entries > ENTRIES_MAX)
      throw new ClusterError("ResourceExhausted", `archive has more than ${ENTRIES_MAX} entries`);
    if ("xgLK".includes(header.flag)) this.#startExtended(header);
    else this.#startEntry(header);
  }

  #startExtended({ flag, sizeBytes }: TarHeader): void {
    if (sizeBytes > EXTENDED_BYTES_MAX) throw malformed("an extended header is too large");
    this.#extendedFlag = flag;
    this.#padding = paddingOf(sizeBytes);
    this.#block = new Uint8Array(sizeBytes);
    this.#reading = "extended";
    if (sizeBytes === 0) this.#onExtended(this.#block);
  }

  #onExtended(bytes: Uint8Array): void {
    if (this.#extendedFlag === "x") this.#local = parsePaxRecords(bytes);
    else if (this.#extendedFlag === "g")
      this.#global = new Map([...this.#global, ...parsePaxRecords(bytes)]);
    else if (this.#extendedFlag === "L") this.#longName = longText(bytes);
    else this.#longLink = longText(bytes);
    this.#block = new Uint8Array(BLOCK_BYTES);
    this.#startPadding();
  }

  #startEntry(header: TarHeader): void {
    const records: PaxRecords =
      this.#global.size === 0 ? this.#local : new Map([...this.#global, ...this.#local]);
    const entry = toEntry(header, records, { name: this.#longName, link: this.#longLink });
    this.#local = new Map();
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#extendedFlag = "";
    this.#remaining = entry.sizeBytes;
    this.#padding = paddingOf(entry.sizeBytes);
    this.#sink.onEntry(entry);
    if (entry.sizeBytes === 0) this.#endEntry();
    else this.#reading = "content";
  }
}

function toEntry(
  header: TarHeader,
  records: PaxRecords,
  long: { readonly name: string | undefined; readonly link: string | undefined },
): TarEntry {
  const name = paxText(records, "path") ?? long.name ?? header.name;
  const type = typeOf(header.flag, name, records);
  const sizeBytes = paxNumber(records, "size") ?? header.sizeBytes;
  return {
    type,
    name,
    linkName: paxText(records, "linkpath") ?? long.link ?? header.linkName,
    mode: header.mode,
    uid: ownerOf(paxNumber(records, "uid") ?? header.uid),
    gid: ownerOf(paxNumber(records, "gid") ?? header.gid),
    // Only files have content: a hard link may repeat its target's size.
    sizeBytes: type === "file" ? sizeBytes : 0,
    mtime: paxTime(records, "mtime") ?? { seconds: header.mtimeSeconds, nanos: 0 },
    major: paxNumber(records, "SCHILY.devmajor") ?? header.major,
    minor: paxNumber(records, "SCHILY.devminor") ?? header.minor,
    xattrs: xattrsOf(records),
  };
}

function ownerOf(id: number): number {
  if (id > OWNER_MAX) throw malformed(`${id} is no owner: the greatest is ${OWNER_MAX}`);
  return id;
}

function typeOf(flag: string, name: string, records: PaxRecords): TarType {
  for (const keyword of records.keys())
    if (keyword.startsWith(SPARSE_PREFIX)) throw malformed("sparse files are not supported");
  const type = TYPES[flag];
  if (type === undefined) throw malformed(`unknown entry type ${JSON.stringify(flag)}`);
  // Archives older than POSIX mark a directory by its name only.
  return type === "file" && name.endsWith("/") ? "directory" : type;
}

function xattrsOf(records: PaxRecords): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [keyword, value] of records)
    if (keyword.startsWith(XATTR_PREFIX)) xattrs.set(keyword.slice(XATTR_PREFIX.length), value);
  return xattrs;
}

function longText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString("latin1");
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}
