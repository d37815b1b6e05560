import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { type Socket as Connection, createServer, type Server } from "node:net";
import { errorMessage } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Random } from "../../../core/random.ts";
import type { BoundSocket } from "../../linux/socket.ts";
import type { Forwarder } from "./forwarder.ts";
import { FrameReader, frame } from "./frame.ts";
import type { NameView } from "./name-view.ts";
import { respond, type Transport } from "./respond.ts";

const CONNECTIONS_MAX = 64;
const CONNECTION_IDLE_MS = 10_000;
/** Unanswered queries of one connection. */
const PIPELINE_MAX = 32;

/** Sockets made in a container's namespace. */
export interface NameServerSockets {
  readonly udp: BoundSocket;
  readonly tcp: BoundSocket;
}

export interface NameServerOptions {
  readonly sockets: NameServerSockets;
  /** The names as they are now. */
  readonly view: () => NameView;
  /** Who is asked for other names. */
  readonly servers: () => readonly string[];
  readonly forwarder: Forwarder;
  readonly random: Random;
  readonly log: Log;
}

/** The name server of one container. */
export class NameServer {
  readonly #options: NameServerOptions;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<Connection>();

  constructor(options: NameServerOptions) {
    this.#options = options;
    this.#udp = createSocket("udp4");
    this.#udp.on("message", (query, from) => void this.#onDatagram(query, from));
    this.#udp.on("error", (error) => this.#warn("udp", error));
    this.#udp.bind({ fd: options.sockets.udp.fd });
    this.#tcp = createServer((connection) => this.#onConnection(connection));
    this.#tcp.maxConnections = CONNECTIONS_MAX;
    this.#tcp.on("error", (error) => this.#warn("tcp", error));
    this.#tcp.listen({ fd: options.sockets.tcp.fd });
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const connection of this.#connections) connection.destroy();
  }

  async #onDatagram(query: Buffer, from: RemoteInfo): Promise<void> {
    const answer = await this.#answer(query, "udp");
    if (answer === undefined) return;
    try {
      this.#udp.send(answer, from.port, from.address);
    } catch (error) {
      // Closed while another server was asked.
      this.#options.log.debug("dns answer not sent", { reason: errorMessage(error) });
    }
  }

  #onConnection(connection: Connection): void {
    this.#connections.add(connection);
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("error", () => connection.destroy());
    connection.setTimeout(CONNECTION_IDLE_MS, () => connection.destroy());
    const reader = new FrameReader();
    let pending = 0;
    connection.on("data", (chunk) => {
      for (const query of reader.push(chunk)) {
        if (++pending > PIPELINE_MAX) {
          connection.destroy();
          return;
        }
        void this.#answer(query, "tcp").then((answer) => {
          pending--;
          if (answer !== undefined && !connection.destroyed) connection.write(frame(answer));
        });
      }
    });
  }

  /** Undefined when the query deserves no answer. Never rejects. */
  async #answer(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const { view, random, forwarder, servers } = this.#options;
    const reaction = respond(query, view(), { transport, random });
    switch (reaction.kind) {
      case "reply":
        return reaction.bytes;
      case "forward":
        return (await forwarder.ask(query, servers(), transport)) ?? reaction.failure;
      case "ignore":
        return undefined;
    }
  }

  #warn(transport: Transport, error: Error): void {
    this.#options.log.warn("dns socket failed", { transport, reason: error.message });
  }
}
