import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from "node:tls";

/** What a peer that speaks no gRPC saw of a connection. */
export interface RawPeer {
  readonly socket: Socket;
  /** As servers name it: `127.0.0.1:4711`. */
  readonly name: string;
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>;
  close(): void;
}

/** What every HTTP/2 client begins with. Source: RFC 9113, 3.4. */
export const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** An empty SETTINGS frame. */
export const HTTP2_SETTINGS = http2Frame({ type: 4 });

/** Connects by TCP alone. */
export async function connectRaw(addr: string): Promise<RawPeer> {
  const socket = connectTcp(hostPort(addr));
  await once(socket, "connect");
  return peerOf(socket);
}

/** Connects by TLS, with whatever certificate, and says that it speaks HTTP/2 unless told otherwise. */
export async function connectSecure(
  addr: string,
  options: SecureContextOptions & { readonly protocols?: readonly string[] } = {},
): Promise<RawPeer> {
  const { protocols = ["h2"], ...context } = options;
  const socket: TLSSocket = connectTls({
    ...hostPort(addr),
    ...context,
    rejectUnauthorized: false,
    ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
  });
  await once(socket, "secureConnect");
  return peerOf(socket);
}

/** One frame, with any length it may claim to have. Source: RFC 9113, 4.1. */
export function http2Frame(frame: {
  readonly type: number;
  readonly flags?: number;
  readonly streamId?: number;
  readonly payload?: Uint8Array;
  readonly claimedLength?: number;
}): Buffer {
  const { type, flags = 0, streamId = 0, payload = new Uint8Array(0) } = frame;
  const head = Buffer.alloc(9);
  head.writeUIntBE(frame.claimedLength ?? payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** The frame that begins a gRPC call. Source: RFC 7541, appendix A, for the numbers of header names. */
export function http2Call(streamId: number, path: string): Buffer {
  const literal = (nameIndex: number, value: string) =>
    Buffer.concat([Buffer.from([0x40 | nameIndex, value.length]), Buffer.from(value)]);
  // ":method: POST" and ":scheme: https" are in the table whole.
  const payload = [Buffer.from([0x83, 0x87]), literal(4, path), literal(31, "application/grpc")];
  return http2Frame({ type: 1, flags: 4, streamId, payload: Buffer.concat(payload) });
}

function peerOf(socket: Socket): RawPeer {
  const { localAddress, localPort } = socket;
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => socket.destroy());
  socket.resume();
  return {
    socket,
    name: `${localAddress}:${localPort}`,
    ended,
    close: () => void socket.destroy(),
  };
}

function hostPort(addr: string): { readonly host: string; readonly port: number } {
  const [host = "", port] = addr.split(":");
  return { host, port: Number(port) };
}
