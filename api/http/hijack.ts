import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";

/** A client that has got all may take so long to close its side. */
const LINGER_MS = 5000;
/** And so long to take the last of it. */
const FLUSH_MS = 30_000;

/** A connection that carries bytes both ways, with no more HTTP on it. */
export interface Hijacked {
  /** What the client sends, until it says that there is no more. Throws when the connection breaks. May be left early. */
  input(): AsyncIterable<Uint8Array>;
  /** Resolves when more may be sent. @throws when the client has gone. */
  write(data: Uint8Array): Promise<void>;
  /** Resolves when the client has closed the connection altogether; its input is dropped. */
  untilGone(): Promise<"left">;
  /** No more is sent; what was is still delivered. */
  end(): void;
  /** Cuts the client off. */
  destroy(): void;
}

/**
 * Takes over the connection of a request that asked for an upgrade: 101, and bytes from then on.
 *
 * Both sides may close their half alone: the end of the input is not the end of the output.
 */
export function hijackSocket(
  socket: Duplex,
  response: ServerResponse,
  contentType: string,
): Hijacked {
  const headers = Object.entries({
    "Content-Type": contentType,
    Connection: "Upgrade",
    Upgrade: "tcp",
    ...response.getHeaders(),
  });
  const lines = headers.map(([name, value]) => `${name}: ${String(value)}\r\n`).join("");
  response.detachSocket(socket as Parameters<ServerResponse["detachSocket"]>[0]);
  socket.write(`HTTP/1.1 101 UPGRADED\r\n${lines}\r\n`);
  return hijacked(socket, socket);
}

/**
 * The way of clients that do not ask for an upgrade: 200, and output until the connection is closed. Input is the request's
 * body, where one is still being sent.
 */
export function answerWithStream(
  request: IncomingMessage,
  response: ServerResponse,
  contentType: string,
): Hijacked {
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, { "Content-Type": contentType, Connection: "close" });
  response.flushHeaders();
  return hijacked("transfer-encoding" in request.headers ? request : undefined, response);
}

function hijacked(source: Readable | undefined, sink: Writable): Hijacked {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  if (sink.destroyed) onClose();
  else sink.once("close", onClose);
  const untilGone = () =>
    new Promise<"left">((resolve) => {
      source?.resume();
      if (gone.signal.aborted) resolve("left");
      else gone.signal.addEventListener("abort", () => resolve("left"), { once: true });
    });
  return {
    async *input() {
      if (source === undefined) await untilGone();
      else yield* source.iterator({ destroyOnReturn: false });
    },
    async write(data) {
      gone.signal.throwIfAborted();
      if (!sink.write(data)) await once(sink, "drain", { signal: gone.signal });
    },
    untilGone,
    end() {
      if (sink.destroyed) return;
      const timer = setTimeout(() => sink.destroy(), FLUSH_MS).unref();
      sink.once("close", () => clearTimeout(timer));
      sink.end(() => {
        // The client's own end closes the connection; who does not say it is not waited for.
        source?.resume();
        clearTimeout(timer);
        setTimeout(() => sink.destroy(), LINGER_MS).unref();
      });
    },
    destroy: () => sink.destroy(),
  };
}
