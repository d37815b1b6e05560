import { checked, libc } from "./libc.ts";

/** Sockets made by hand: in a namespace of choice, or of a family Node does not know. All calls return at once. */

type Socket = (family: number, type: number, protocol: number) => number;
type Bind = (fd: number, address: Uint8Array, size: number) => number;
type Listen = (fd: number, backlog: number) => number;
type Send = (fd: number, bytes: Uint8Array, size: number, flags: number) => number;
type Receive = (fd: number, bytes: Uint8Array, size: number, flags: number) => number;
type SetOption = (
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  size: number,
) => number;
type Close = (fd: number) => number;
type GetName = (fd: number, address: Uint8Array, size: Uint32Array) => number;

const cSocket: Socket = libc.func("int socket(int family, int type, int protocol)");
const cBind: Bind = libc.func("int bind(int fd, const uint8_t *address, uint32_t size)");
const cListen: Listen = libc.func("int listen(int fd, int backlog)");
const cSend: Send = libc.func(
  "intptr_t send(int fd, const uint8_t *bytes, size_t size, int flags)",
);
const cReceive: Receive = libc.func(
  "intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)",
);
const cSetOption: SetOption = libc.func(
  "int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t size)",
);
const cClose: Close = libc.func("int close(int fd)");
const cGetName: GetName = libc.func(
  "int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint32_t *size)",
);

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SocketType = { Stream: 1, Datagram: 2, Raw: 3 } as const;
const LISTEN_BACKLOG = 128;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
const IPV6_BYTES = 16;
const SOCKADDR_NETLINK_BYTES = 12;
const AF_NETLINK = 16;

/** A bound socket of the current network namespace, of IPv4 or of IPv6 alone; give `fd` to Node. */
export interface BoundSocket {
  readonly fd: number;
  readonly port: number;
}

/** Binds a UDP socket to four or sixteen bytes of an address. `port` 0: any. @throws {ClusterError} `FailedPrecondition` or `Internal`; details.errno says why. */
export function bindUdp(address: Uint8Array, port: number): BoundSocket {
  return bound({ type: SocketType.Datagram }, address, port);
}

/** Binds a TCP socket and listens. */
export function listenTcp(address: Uint8Array, port: number): BoundSocket {
  return bound({ type: SocketType.Stream, listens: true }, address, port);
}

/**
 * Takes a port so that nobody else gets it; nothing is ever read from the socket.
 *
 * @throws {ClusterError} details.errno says why: EADDRINUSE, EADDRNOTAVAIL, EPROTONOSUPPORT (no SCTP in this kernel).
 */
export function holdPort(
  protocol: "tcp" | "udp" | "sctp",
  address: Uint8Array,
  port: number,
): BoundSocket {
  if (protocol === "udp") return bindUdp(address, port);
  const number = protocol === "sctp" ? IPPROTO_SCTP : 0;
  // What connections of an earlier program left on this port does not keep it; a listening socket does.
  const kind = { type: SocketType.Stream, protocol: number, listens: true, reuses: true };
  return bound(kind, address, port);
}

/** A netlink socket of the current network namespace; answers are there when `send` returns. */
export function openNetlink(protocol: number): number {
  const fd = checked(
    cSocket(AF_NETLINK, SocketType.Raw | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol),
    "open a netlink socket",
  );
  const address = Buffer.alloc(SOCKADDR_NETLINK_BYTES);
  address.writeUInt16LE(AF_NETLINK, 0);
  return closingOnError(fd, () => {
    checked(cBind(fd, address, address.length), "bind a netlink socket");
    return fd;
  });
}

export function sendAll(fd: number, bytes: Uint8Array): void {
  checked(cSend(fd, bytes, bytes.length, 0), "send on a netlink socket");
}

/** The next datagram, at most `buffer.length` bytes of it. @throws {ClusterError} `Unavailable` when there is none. */
export function receive(fd: number, buffer: Buffer): Buffer {
  const size = checked(cReceive(fd, buffer, buffer.length, 0), "receive from a netlink socket");
  return buffer.subarray(0, size);
}

export function setOption(fd: number, level: number, name: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  checked(cSetOption(fd, level, name, bytes, bytes.length), `set socket option ${level}:${name}`);
}

/** Closes a descriptor that was never given to Node. */
export function closeSocket(fd: number): void {
  checked(cClose(fd), `close socket ${fd}`);
}

interface SocketKind {
  readonly type: number;
  /** Of `IPPROTO_…`; the family's own for this type when absent. */
  readonly protocol?: number;
  readonly listens?: boolean;
  readonly reuses?: boolean;
}

function bound(kind: SocketKind, address: Uint8Array, port: number): BoundSocket {
  const { type, protocol = 0, listens = false, reuses = false } = kind;
  const isIpv6 = address.length === IPV6_BYTES;
  const flags = type | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const fd = checked(cSocket(isIpv6 ? AF_INET6 : AF_INET, flags, protocol), "open a socket");
  return closingOnError(fd, () => {
    if (reuses) setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (isIpv6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    const name = socketName(address, port);
    checked(cBind(fd, name, name.length), `bind to ${address.join(".")}:${port}`);
    if (listens) checked(cListen(fd, LISTEN_BACKLOG), `listen on port ${port}`);
    const given = Buffer.alloc(name.length);
    checked(cGetName(fd, given, Uint32Array.of(given.length)), "ask for a socket's name");
    return { fd, port: given.readUInt16BE(2) };
  });
}

/** struct sockaddr_in or sockaddr_in6. */
function socketName(address: Uint8Array, port: number): Buffer {
  const isIpv6 = address.length === IPV6_BYTES;
  const name = Buffer.alloc(isIpv6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES);
  name.writeUInt16LE(isIpv6 ? AF_INET6 : AF_INET, 0);
  name.writeUInt16BE(port, 2);
  name.set(address, isIpv6 ? 8 : 4);
  return name;
}

function closingOnError<T>(fd: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    cClose(fd);
    throw error;
  }
}
