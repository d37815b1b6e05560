import { chmodSync, existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import koffi from "koffi";

/** Where systemd's journal takes what programs send it; libsystemd knows no other place. */
export const JOURNAL_SOCKET = "/run/systemd/journal/socket";

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000 | 0o2000000;
const ADDRESS_BYTES = 110;
const DATAGRAM_BYTES_MAX = 65_536;

const libc = koffi.load("libc.so.6");
const cSocket = libc.func("int socket(int family, int type, int protocol)");
const cBind = libc.func("int bind(int fd, const uint8_t *address, uint32_t size)");
const cReceive = libc.func("intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)");
const cClose = libc.func("int close(int fd)");

/** One entry: its fields by name. */
export type JournalEntry = Readonly<Record<string, string>>;

/** The journal's socket with nobody but the test behind it; for machines without a journal. */
export class FakeJournal {
  readonly #fd: number;
  readonly #made: string | undefined;
  readonly #entries: JournalEntry[] = [];

  constructor() {
    this.#made = mkdirSync(dirname(JOURNAL_SOCKET), { recursive: true });
    const address = Buffer.alloc(ADDRESS_BYTES);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(JOURNAL_SOCKET, 2);
    this.#fd = cSocket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0) as number;
    if (cBind(this.#fd, address, ADDRESS_BYTES) === -1)
      throw new Error(`cannot bind ${JOURNAL_SOCKET}: errno ${koffi.errno()}`);
    chmodSync(JOURNAL_SOCKET, 0o666);
  }

  /** What has come until now. */
  entries(): readonly JournalEntry[] {
    const bytes = Buffer.alloc(DATAGRAM_BYTES_MAX);
    for (;;) {
      const length = Number(cReceive(this.#fd, bytes, bytes.length, 0));
      if (length <= 0) return this.#entries;
      this.#entries.push(parseEntry(bytes.subarray(0, length)));
    }
  }

  close(): void {
    cClose(this.#fd);
    rmSync(JOURNAL_SOCKET, { force: true });
    if (this.#made === undefined) return;
    for (let made = dirname(JOURNAL_SOCKET); made.startsWith(this.#made); made = dirname(made))
      if (existsSync(made)) rmdirSync(made);
  }
}

/** `NAME=value` on a line; a value with newlines as `NAME`, its length in 8 bytes, itself. Source: systemd, JOURNAL_NATIVE_PROTOCOL. */
function parseEntry(bytes: Buffer): JournalEntry {
  const fields: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\n", at);
    const line = bytes.toString("utf8", at, end);
    const equals = line.indexOf("=");
    if (equals !== -1) {
      fields[line.slice(0, equals)] = line.slice(equals + 1);
      at = end + 1;
      continue;
    }
    const length = Number(bytes.readBigUInt64LE(end + 1));
    fields[line] = bytes.toString("utf8", end + 9, end + 9 + length);
    at = end + 9 + length + 1;
  }
  return fields;
}
