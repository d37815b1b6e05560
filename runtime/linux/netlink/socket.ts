import { ClusterError, errorCode } from "../../../core/errors.ts";
import { errnoError } from "../libc.ts";
import { closeSocket, openNetlink, receive, sendAll, setOption } from "../socket.ts";
import { Control, decodeMessages, encodeMessage, type Message, type Request } from "./message.ts";

/** Which part of the kernel one talks to. */
export const Protocol = { Route: 0, Netfilter: 12 } as const;

/** Requests in one datagram: their acknowledgements must fit the receive buffer (about 250 of them do by default). */
const BATCH_MAX = 64;
/** A dump's datagrams are at most this long. */
const DATAGRAM_BYTES = 64 * 1024;
const SOL_NETLINK = 270;
/** Acknowledgements without a copy of the request. */
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** What became of a request that failed. */
export interface Failure {
  readonly request: Request;
  readonly error: ClusterError;
}

/**
 * A netlink socket; it stays in the namespace that was current when it was opened.
 *
 * Every call is synchronous: the kernel works while `send` runs and its answers are there when it returns.
 */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(DATAGRAM_BYTES);
  #sequence = 0;

  constructor(protocol: number) {
    this.#fd = openNetlink(protocol);
    setOption(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    setOption(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, 0);
    setOption(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
  }

  /** Carries out all requests in order, also those after one that failed, and says which failed. */
  batch(requests: readonly Request[]): Failure[] {
    const failures: Failure[] = [];
    for (let at = 0; at < requests.length; at += BATCH_MAX)
      failures.push(...this.#exchange(requests.slice(at, at + BATCH_MAX)));
    return failures;
  }

  /** As `batch`. @throws the first failure. */
  run(requests: readonly Request[]): void {
    const [failure] = this.batch(requests);
    if (failure !== undefined) throw failure.error;
  }

  /** All objects a dump request lists. @throws {ClusterError} when the kernel refuses. */
  dump(request: Request): Message[] {
    const sequence = ++this.#sequence;
    sendAll(this.#fd, encodeMessage(request, sequence));
    const objects: Message[] = [];
    for (;;) {
      // The buffer is used again for the next datagram.
      const datagram = Buffer.from(receive(this.#fd, this.#buffer));
      for (const message of decodeMessages(datagram)) {
        if (message.sequence !== sequence) continue;
        if (message.type === Control.Done) return objects;
        if (message.type === Control.Error)
          throw errorOf(message, request) ?? unexpectedAck(request);
        objects.push(message);
      }
    }
  }

  close(): void {
    closeSocket(this.#fd);
  }

  #exchange(requests: readonly Request[]): Failure[] {
    const bySequence = new Map(requests.map((request) => [++this.#sequence, request]));
    const datagram = Buffer.concat(
      Array.from(bySequence, ([sequence, request]) => encodeMessage(request, sequence)),
    );
    sendAll(this.#fd, datagram);
    const failures: Failure[] = [];
    while (bySequence.size > 0) {
      for (const message of decodeMessages(receive(this.#fd, this.#buffer))) {
        const request = bySequence.get(message.sequence);
        if (request === undefined || message.type !== Control.Error) continue;
        bySequence.delete(message.sequence);
        const error = errorOf(message, request);
        if (error !== undefined) failures.push({ request, error });
      }
    }
    return failures;
  }
}

/** Whether the failure means that what was to be deleted is not there. */
export function isGone(failure: Failure): boolean {
  return errorCode(failure.error) === "NotFound";
}

/** Undefined for an acknowledgement: errno 0. */
function errorOf(message: Message, request: Request): ClusterError | undefined {
  const errno = -message.body.readInt32LE(0);
  return errno === 0 ? undefined : errnoError(errno, request.action);
}

function unexpectedAck(request: Request): ClusterError {
  return new ClusterError("Internal", `cannot ${request.action}: the kernel listed nothing`);
}
