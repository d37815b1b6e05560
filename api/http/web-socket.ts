import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Hijacked } from "./hijack.ts";
import { isForeignOrigin } from "./origin.ts";

/** One message of a client; a longer one ends the connection with 1009. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Source: RFC 6455 §7.4.1. */
const NORMAL = 1000;

/**
 * Takes over the connection of a request that asked for a WebSocket, and carries bytes both ways: each write is one message.
 * There is no half close: the end of the input is the end of all.
 *
 * @param binary whether messages are binary; they are text for clients that know no better.
 * @throws {ClusterError} before anything is sent: InvalidArgument when the request asks for none, PermissionDenied when a page
 * of another site asks.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  binary: boolean,
): Promise<Hijacked> {
  if (isForeignOrigin(request.headers, request.socket.remoteAddress))
    throw new ClusterError(
      "PermissionDenied",
      "websocket: refused to a page of another site: connect from the address the API is served at",
    );
  return new Promise((resolve, reject) => {
    const server = newServer();
    server.once("wsClientError", (error) => reject(notWebSocket(errorMessage(error))));
    // Where the client has gone already there is neither an error nor a connection.
    socket.once("close", () => reject(notWebSocket("the client has gone")));
    // In the same turn, lest a message comes before somebody listens.
    server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) =>
      resolve(carry(webSocket, binary)),
    );
  });
}

export function notWebSocket(reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `not websocket protocol: ${reason}: this path is for WebSocket clients (RFC 6455, version 13)`,
  );
}

function newServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    // The text is a terminal's or a program's: its bytes are passed on as they are.
    skipUTF8Validation: true,
  });
}

function carry(webSocket: WebSocket, binary: boolean): Hijacked {
  const messages = createWebSocketStream(webSocket);
  // Whoever reads is told; a client that breaks the protocol is of no interest to anybody else.
  messages.on("error", () => {});
  const gone = new Promise<"left">((resolve) => {
    webSocket.once("close", () => resolve("left"));
  });
  return {
    input: () => messages.iterator({ destroyOnReturn: false }),
    // One message after the other: when the client does not read, the next is not taken.
    write: async (data) =>
      new Promise((resolve, reject) => {
        webSocket.send(data, { binary }, (error) => (error ? reject(error) : resolve()));
      }),
    untilGone: async () => {
      messages.resume();
      return gone;
    },
    end() {
      // Whoever does not take the last bytes and answer within 30 s (ws, CLOSE_TIMEOUT) is cut off. The client's own close comes behind what it has sent before it.
      messages.resume();
      webSocket.close(NORMAL);
    },
    destroy: () => webSocket.terminate(),
  };
}
