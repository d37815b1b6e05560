import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import { errorMessage } from "../../core/errors.ts";
import type { LogFields } from "../../core/log.ts";
import { ConnectionTable } from "./connection-table.ts";
import { CONNECTIONS_MAX } from "./limits.ts";

/** What a server shows of itself, and how it reads what clients show. */
export interface ServerIdentity {
  /** In PEM, as they are now; the key is that of the first certificate. */
  current(): { readonly certPem: string; readonly keyPem: string; readonly rootPem: string };
  /** Calls back after each change, until the returned function is called. */
  onReplaced(listener: (change: IdentityChange) => void): () => void;
  /** The node a certificate's subject names; undefined when it names none. */
  nodeIdOf(subject: object): string | undefined;
}

export interface IdentityChange {
  /** A root trusted before is trusted no more: nor is anyone who came in by it. */
  readonly rootGivenUp: boolean;
}

/** Told of each refusal, to be logged; the fields name the peer. */
export type OnRefused = (message: string, fields: LogFields & { readonly peer: string }) => void;

/** Where connections go on: those of nodes, and those of strangers. */
export interface Doors {
  node(socket: TLSSocket): void;
  stranger(socket: TLSSocket): void;
  /** Who came in so far as a node must come again; calls under way may end, for a while. */
  sayFarewell(): void;
}

interface Connection {
  readonly peer: string;
  readonly raw: Socket;
  /** Which of the identities that gave up a root was the last when it came. */
  readonly era: number;
  secured?: TLSSocket;
  nodeId?: string | undefined;
  hasCalled: boolean;
  /** Why it has come to nothing, as far as is known. */
  reason: string;
}

const ALPN = "h2";

/**
 * The TLS side of a manager's port: takes connections, keeps their number within limits.ts, and sorts them by what they
 * show. A certificate is asked for and not required: who has none may still ask for one.
 */
export class Front {
  readonly #identity: ServerIdentity;
  readonly #doors: Doors;
  readonly #onRefused: OnRefused;
  readonly #server: Server;
  readonly #table = new ConnectionTable();
  readonly #connections = new Map<string, Connection>();
  readonly #endReplaced: () => void;
  #era = 0;

  constructor(
    identity: ServerIdentity,
    doors: Doors,
    { onRefused, handshakeMs }: { readonly onRefused: OnRefused; readonly handshakeMs: number },
  ) {
    this.#identity = identity;
    this.#doors = doors;
    this.#onRefused = onRefused;
    this.#server = createServer({
      ...contextOf(identity),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: [ALPN],
      handshakeTimeout: handshakeMs,
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on("connection", (socket: Socket) => this.#onConnection(socket));
    this.#server.on("drop", (dropped) => this.#onDrop(dropped));
    this.#server.on("tlsClientError", (error, socket) => this.#onHandshakeError(error, socket));
    this.#server.on("secureConnection", (socket) => this.#onSecured(socket));
    this.#endReplaced = identity.onReplaced((change) => this.#onReplaced(change));
  }

  /** @returns the port. Rejects with what the system says. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    this.#server.listen({ host, port });
    await once(this.#server, "listening");
    // Such as having no file descriptor left: the next one may be served again.
    this.#server.on("error", (error) => {
      const reason = errorMessage(error);
      this.#onRefused("cannot take a connection", { peer: "unknown", reason });
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** A call came over the connection: it is more than an empty one. */
  noteCall(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection !== undefined) connection.hasCalled = true;
  }

  /** What is known of a peer, for the log. */
  describe(peer: string): { readonly peer: string; readonly nodeId?: string } {
    const nodeId = this.#connections.get(peer)?.nodeId;
    return nodeId === undefined ? { peer } : { peer, nodeId };
  }

  /** Takes nobody any more and ends every connection. */
  close(): void {
    this.#endReplaced();
    this.#server.close();
    for (const connection of this.#connections.values()) end(connection);
  }

  /** Whoever has the key of a root that was given up must not stay; the swarm's nodes are back with their new certificates. */
  #onReplaced({ rootGivenUp }: IdentityChange): void {
    this.#server.setSecureContext(contextOf(this.#identity));
    if (!rootGivenUp) return;
    this.#era++;
    this.#doors.sayFarewell();
  }

  #onConnection(raw: Socket): void {
    const peer = peerName(raw);
    // It has gone already.
    if (peer === undefined) return;
    const era = this.#era;
    const connection: Connection = { peer, raw, era, hasCalled: false, reason: "" };
    this.#connections.set(peer, connection);
    raw.once("close", () => this.#onClosed(connection));
    this.#giveWay(this.#table.open(peer));
  }

  #onDrop(dropped: { remoteAddress?: string; remotePort?: number } | undefined): void {
    const { remoteAddress = "unknown", remotePort = 0 } = dropped ?? {};
    const peer = `${remoteAddress}:${remotePort}`;
    this.#onRefused(`refused a connection: ${CONNECTIONS_MAX} are open already`, { peer });
  }

  #onHandshakeError(error: Error, socket: TLSSocket): void {
    const connection = this.#connections.get(peerName(socket) ?? "");
    if (connection !== undefined) connection.reason = errorMessage(error);
    socket.destroy();
  }

  #onSecured(socket: TLSSocket): void {
    // What breaks a connection ends it; the calls on it hear of that.
    socket.on("error", () => socket.destroy());
    const connection = this.#connections.get(peerName(socket) ?? "");
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.secured = socket;
    if (socket.alpnProtocol !== ALPN) {
      connection.reason = "it does not speak HTTP/2";
      socket.destroy();
      return;
    }
    if (connection.era !== this.#era) {
      connection.reason = "the roots by which it was judged are others now";
      socket.destroy();
      return;
    }
    const nodeId = this.#recognize(socket, connection.peer);
    if (nodeId === undefined) {
      this.#doors.stranger(socket);
      return;
    }
    connection.nodeId = nodeId;
    this.#giveWay(this.#table.identify(connection.peer, nodeId));
    this.#doors.node(socket);
  }

  /** The node whose valid certificate it is. */
  #recognize(socket: TLSSocket, peer: string): string | undefined {
    const { raw, subject } = socket.getPeerCertificate();
    if (raw === undefined) return undefined;
    const nodeId = this.#identity.nodeIdOf(subject);
    if (socket.authorized && nodeId !== undefined) return nodeId;
    const reason = socket.authorized ? "its subject names no node" : socket.authorizationError;
    this.#onRefused("a certificate is not accepted: the caller counts as one without", {
      ...{ peer, reason: String(reason) },
      ...(nodeId === undefined ? {} : { claimedNodeId: nodeId }),
    });
    return undefined;
  }

  #giveWay(peer: string | undefined): void {
    const connection = this.#connections.get(peer ?? "");
    if (connection === undefined) return;
    const message = "closed the oldest connection: this peer, or strangers together, have too many";
    this.#onRefused(message, this.describe(connection.peer));
    // So that nothing more is said of it.
    connection.hasCalled = true;
    end(connection);
  }

  #onClosed(connection: Connection): void {
    const { peer, raw, secured, nodeId, hasCalled, reason } = connection;
    this.#connections.delete(peer);
    this.#table.close(peer);
    // A probe of the port says nothing and means nothing; a node may think better of it.
    const isProbe = secured === undefined && raw.bytesRead === 0 && !isTimeout(reason);
    if (isProbe || hasCalled || nodeId !== undefined || !this.#server.listening) return;
    const what = secured === undefined ? "no TLS handshake" : "no call";
    this.#onRefused(`a connection came to nothing: ${what}`, { peer, ...(reason && { reason }) });
  }
}

/** All of it: what a next context leaves out has its default again. */
function contextOf(identity: ServerIdentity): SecureContextOptions {
  const { certPem, keyPem, rootPem } = identity.current();
  return { cert: certPem, key: keyPem, ca: rootPem, minVersion: "TLSv1.3" };
}

function end({ raw, secured }: Connection): void {
  secured?.destroy();
  raw.destroy();
}

/** As gRPC names it. */
function peerName({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}

function isTimeout(reason: string): boolean {
  return /timeout/i.test(reason);
}
