import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import type { ListenOptions, Socket } from "node:net";
import { ClusterError, errorCode, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { API_VERSION_MAX, splitVersion, versionRefusal } from "./api-version.ts";
import { Exchange } from "./exchange.ts";
import { httpStatus } from "./http-status.ts";
import { RouteTable } from "./route-table.ts";
import type { Answer, Route } from "./router.ts";
import { UpgradeResponse } from "./upgrade-response.ts";

/** Requests in work at once; more are told to come back. */
export const REQUESTS_MAX = 2048;

/** Line and headers of a request: builds say much in their line. Source: Go, http.DefaultMaxHeaderBytes, which Docker has. */
const HEAD_BYTES_MAX = 1024 * 1024;

/** Within this a request's line and headers must be there. Source: moby, http.Server.ReadHeaderTimeout. */
const HEAD_TIMEOUT_MS = 5 * 60_000;

/** Who has connected must have shown who it is within this. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Clients of a proxy send the whole address. Source: RFC 9112 §3.2.2. */
const ABSOLUTE_FORM = /^https?:\/\/[^/]*/i;

/** Facts every answer carries in its headers; asked for each time, because the swarm's state changes. */
export interface ServerFacts {
  readonly version: string;
}

/** Docker's HTTP API on any number of sockets: finds the route, runs it, turns its answer or error into a response. */
export class ApiServer {
  readonly #routes: RouteTable;
  readonly #servers: Server[] = [];
  /** All connections: Node's servers forget those that are upgraded, and do not yet know those in a TLS handshake. */
  readonly #connections = new Set<Socket>();
  readonly #facts: ServerFacts;
  readonly #log: Log;
  #inWork = 0;

  constructor(routes: readonly Route[], facts: ServerFacts, log: Log) {
    this.#facts = facts;
    this.#log = log;
    this.#routes = new RouteTable(routes);
  }

  /** Serves on one more address, or a socket that is open already, by TLS where that is given. Rejects when it is taken. */
  async listen(
    options: ListenOptions | { readonly fd: number },
    tls?: TlsOptions,
  ): Promise<Server> {
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response);
    const limits = {
      requestTimeout: 0,
      headersTimeout: HEAD_TIMEOUT_MS,
      maxHeaderSize: HEAD_BYTES_MAX,
    };
    const server: Server =
      tls === undefined
        ? createServer(limits, serve)
        : createTlsServer(
            {
              ...tls,
              ...limits,
              // As without TLS: the end of a client's input is not the end of what it wants to read.
              allowHalfOpen: true,
              handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
            },
            serve,
          );
    server.on("connection", (socket: Socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => {
      void this.#serveUpgrade(request, socket as Socket, head);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options, () => resolve());
    });
    this.#servers.push(server);
    return server;
  }

  async close(): Promise<void> {
    const servers = this.#servers.splice(0);
    await Promise.all(
      servers.map(async (server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const socket of this.#connections) socket.destroy();
        await closed;
      }),
    );
  }

  /**
   * Node hands over every connection whose client asks for an upgrade, also where the route has none to give: those are
   * answered like any other, and closed.
   */
  async #serveUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    if (head.length > 0) socket.unshift(head);
    const response = new UpgradeResponse(request, socket);
    await this.#serve(request, response, socket);
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    upgrading?: Socket,
  ): Promise<void> {
    this.#inWork++;
    this.#setHeaders(response);
    try {
      if (this.#inWork > REQUESTS_MAX) {
        throw new ClusterError(
          "ResourceExhausted",
          `more than ${REQUESTS_MAX} requests in work: try again`,
        );
      }
      send(response, await this.#dispatch(request, response, upgrading));
    } catch (error) {
      this.#fail(request, response, error, upgrading);
    } finally {
      this.#inWork--;
      if (upgrading === undefined && response.writableEnded) letGo(request);
    }
  }

  async #dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    upgrading: Socket | undefined,
  ): Promise<Answer> {
    const [, target = "/", query = ""] = /^([^?]*)\??(.*)$/s.exec(request.url ?? "/") ?? [];
    const { minor, path } = splitVersion(target.replace(ABSOLUTE_FORM, ""));
    const refusal = minor === undefined ? undefined : versionRefusal(minor);
    if (refusal !== undefined) throw new ClusterError("InvalidArgument", refusal);
    const method = request.method ?? "GET";
    const found = this.#routes.find(method, path);
    if (found === undefined) throw new ClusterError("NotFound", "page not found");
    const exchange = new Exchange(request, response, {
      params: found.params,
      query: new URLSearchParams(query),
      apiMinor: minor,
      upgrading,
    });
    return found.route.handler(exchange);
  }

  #setHeaders(response: ServerResponse): void {
    response.setHeader("Api-Version", API_VERSION_MAX);
    response.setHeader("Docker-Experimental", "false");
    response.setHeader("Ostype", "linux");
    response.setHeader("Server", `Muster/${this.#facts.version} (linux)`);
  }

  #fail(
    request: IncomingMessage,
    response: ServerResponse,
    error: unknown,
    upgrading: Socket | undefined,
  ): void {
    const hasGone = response.destroyed || upgrading?.destroyed === true;
    if (hasGone && isHangUp(error)) return;
    const status = httpStatus(errorCode(error));
    const fields = { method: request.method, path: request.url?.split("?", 1)[0], status };
    if (status === 500)
      this.#log.error("request failed", {
        ...fields,
        error: errorMessage(error),
        stack: stackOf(error),
      });
    // The connection is no longer the response's: there is nothing to answer on.
    if (response.socket === null) upgrading?.destroy();
    else if (response.headersSent) response.destroy();
    else send(response, { status, body: { message: errorMessage(error) } });
  }
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === undefined || response.destroyed) return;
  response.statusCode = answer.status;
  if (answer.body === undefined) {
    response.end();
    return;
  }
  const text = `${JSON.stringify(answer.body)}\n`;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

/**
 * Reads the rest of a body that its handler has left, and drops it: who still sends does not read the answer, and would have its
 * connection cut when it has been idle.
 */
function letGo(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  // Whoever has left an iterator where it was holds the stream by this.
  request.removeAllListeners("readable");
  request.resume();
}

/** The client has gone in the middle of its body or of its answer: there is nobody to answer, and nothing that failed. */
function isHangUp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code } = error as NodeJS.ErrnoException;
  return name === "AbortError" || ["ECONNRESET", "EPIPE", "Cancelled"].includes(String(code));
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
