import { type IncomingMessage, type OutgoingHttpHeader, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { upgradeBodyBytes } from "./upgrade-body.ts";

/**
 * The response to a request for an upgrade, for routes that have none to give.
 *
 * Node's server lets go of such a connection altogether. What it does for others is done here: whoever writes is told when the
 * connection has drained, and a client that goes is noticed once it is clear that its bytes are nobody's.
 */
export class UpgradeResponse extends ServerResponse {
  readonly #connection: Socket;
  #isBodyRead = false;

  constructor(request: IncomingMessage, connection: Socket) {
    super(request);
    this.#connection = connection;
    this.shouldKeepAlive = false;
    this.assignSocket(connection);
    connection.on("error", () => connection.destroy());
    connection.on("drain", () => this.emit("drain"));
    this.once("finish", () => connection.end(() => connection.destroy()));
  }

  /** The request's body. @throws as {@link upgradeBodyBytes}. */
  async *body(): AsyncGenerator<Uint8Array> {
    this.#isBodyRead = true;
    try {
      yield* upgradeBodyBytes(this.#connection, this.req.headers);
    } finally {
      this.#isBodyRead = false;
      if (this.headersSent) this.#dropInput();
    }
  }

  /** An answer like any other begins; the rest of the body may still be on its way. */
  override writeHead(statusCode: number, ...rest: unknown[]): this {
    if (!this.#isBodyRead) this.#dropInput();
    return super.writeHead(statusCode, ...(rest as [headers?: OutgoingHttpHeader[]]));
  }

  #dropInput(): void {
    const connection = this.#connection;
    // Both sides end together, as on connections that Node serves; a short answer is still sent.
    if (connection.readableEnded) setImmediate(() => connection.end());
    else connection.once("end", () => connection.end()).resume();
  }
}
