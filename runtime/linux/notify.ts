import { ClusterError } from "../../core/errors.ts";
import { checked, libc } from "./libc.ts";

/** Datagrams to sockets of the file system, which Node does not know. */

type Socket = (family: number, type: number, protocol: number) => number;
type SendTo = (
  fd: number,
  bytes: Uint8Array,
  size: number,
  flags: number,
  address: Uint8Array,
  addressSize: number,
) => number;
type Close = (fd: number) => number;

const cSocket: Socket = libc.func("int socket(int family, int type, int protocol)");
const cSendTo: SendTo = libc.func(
  "intptr_t sendto(int fd, const uint8_t *bytes, size_t size, int flags, const uint8_t *address, uint32_t addressSize)",
);
const cClose: Close = libc.func("int close(int fd)");

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
/** sun_path. */
const PATH_BYTES_MAX = 107;

/**
 * Sends one datagram and does not wait.
 *
 * @param path absolute, or an abstract name after "@".
 * @throws {ClusterError} InvalidArgument for a path that is neither; details.errno when nobody takes it.
 */
export function sendToUnixSocket(path: string, text: string): void {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  if (!/^[/@]/.test(path) || name.length > PATH_BYTES_MAX)
    throw new ClusterError("InvalidArgument", `not a path of a socket: ${path.slice(0, 200)}`);
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  const bytes = Buffer.from(text);
  const fd = checked(cSocket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
  try {
    const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const sent = cSendTo(fd, bytes, bytes.length, flags, address, address.length);
    checked(sent, `send to ${path}`);
  } finally {
    cClose(fd);
  }
}
