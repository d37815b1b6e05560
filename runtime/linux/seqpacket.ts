import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { checked, libc } from "./libc.ts";

const cSocket: (family: number, type: number, protocol: number) => number = libc.func(
  "int socket(int family, int type, int protocol)",
);
const cConnect: (fd: number, address: Uint8Array, size: number) => number = libc.func(
  "int connect(int fd, const uint8_t *address, uint32_t size)",
);
const cSocketPair: (family: number, type: number, protocol: number, fds: Int32Array) => number =
  libc.func("int socketpair(int family, int type, int protocol, _Out_ int *fds)");
const cReceive: (fd: number, bytes: Uint8Array, size: number, flags: number) => number = libc.func(
  "intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)",
);
const cDup3: (from: number, to: number, flags: number) => number = libc.func(
  "int dup3(int from, int to, int flags)",
);

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
/** Of the packets that are read here. */
const PACKET_BYTES_MAX = 65_536;

/** A connection of packets. */
export interface PacketConnection {
  /** Every chunk is one packet, as long as it flows. Each write is one packet: await one before the next. */
  readonly socket: Socket;
  /**
   * The packets that are there and the socket did not give. To be asked for at its `end`, before it is destroyed: where the
   * other side has closed, a read that does not fill the buffer is the last to libuv, and one of a packet never does.
   */
  rest(): Buffer[];
}

/**
 * Connects to a Unix socket of packets. The path may be of any length.
 *
 * Node refuses a descriptor of this kind, though all it does with one, read and write, works. So it is handed one of a kind
 * it takes, and before it waits for the first byte the kernel is told that the number now means our socket.
 *
 * @throws {ClusterError} NotFound when there is no such socket, Internal when nobody listens; details.errno says why.
 */
export function connectSeqpacket(path: string): PacketConnection {
  const fd = connectTo(path);
  const pair = new Int32Array(2);
  try {
    checked(cSocketPair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | CLOEXEC, 0, pair), "pair sockets");
    const [own = -1, other = -1] = pair;
    const socket = new Socket({ fd: own, readable: true, writable: true, allowHalfOpen: true });
    closeSync(other);
    checked(cDup3(fd, own, CLOEXEC), "put one socket in another's place");
    return { socket, rest: () => readPackets(own) };
  } finally {
    closeSync(fd);
  }
}

/** All that can be had without waiting. */
function readPackets(fd: number): Buffer[] {
  const packets: Buffer[] = [];
  for (;;) {
    const bytes = Buffer.alloc(PACKET_BYTES_MAX);
    const size = cReceive(fd, bytes, bytes.length, 0);
    if (size <= 0) return packets;
    packets.push(Buffer.from(bytes.subarray(0, size)));
  }
}

/** By way of its directory, for an address has room for 107 bytes. */
function connectTo(path: string): number {
  const dirFd = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  const fd = checked(
    cSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | CLOEXEC, 0),
    "open a socket of packets",
  );
  try {
    const name = Buffer.from(`\0\0/proc/self/fd/${dirFd}/${basename(path)}\0`);
    name.writeUInt16LE(AF_UNIX, 0);
    checked(cConnect(fd, name, name.length), `connect to ${path}`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    closeSync(dirFd);
  }
}
