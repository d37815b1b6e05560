import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../core/errors.ts";
import { MESSAGE_BYTES_MAX } from "../../proto/limits.ts";
import { API_VERSION_MAX } from "./api-version.ts";
import { answerWithStream, type Hijacked, hijackSocket } from "./hijack.ts";
import { findJsonFault } from "./json-fault.ts";
import { readUpgradeBody } from "./upgrade-body.ts";
import { UpgradeResponse } from "./upgrade-response.ts";
import { acceptWebSocket, notWebSocket } from "./web-socket.ts";

/** A request's JSON body may be this long: what is in it then fits into one message to another manager. */
export const BODY_BYTES_MAX = MESSAGE_BYTES_MAX;
/** Past this the connection is cut, in the middle of the body. */
const SENT_BYTES_MAX = 32 * BODY_BYTES_MAX;

/** One request with its answer, as route handlers see it. */
export class Exchange {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  /** Of 1.x: what the client speaks; the newest when it does not say. */
  readonly apiMinor: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  readonly #upgrading: Duplex | undefined;
  #hasBody = true;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    target: {
      readonly params: Readonly<Record<string, string | undefined>>;
      readonly query: URLSearchParams;
      readonly apiMinor?: number | undefined;
      /** The connection, when the client asks for an upgrade. */
      readonly upgrading?: Duplex | undefined;
    },
  ) {
    this.request = request;
    this.response = response;
    this.params = target.params;
    this.query = target.query;
    this.#upgrading = target.upgrading;
    this.apiMinor = target.apiMinor ?? Number(API_VERSION_MAX.slice(2));
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    this.signal = gone.signal;
  }

  /** A path parameter, decoded. */
  param(name: string): string {
    return this.params[name] ?? "";
  }

  /** Docker's booleans in queries: 1 and true are true; 0, false and empty are not. */
  flag(name: string): boolean {
    return !["", "0", "false", "no", "none"].includes((this.query.get(name) ?? "").toLowerCase());
  }

  /** The `version` query parameter of updates. @throws {ClusterError} `InvalidArgument` unless a whole number. */
  version(): number {
    const text = this.query.get("version") ?? "";
    const version = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
    throw new ClusterError("InvalidArgument", `invalid version '${text}': must be a whole number`);
  }

  /** Whether the client asks for bytes both ways in place of an answer. */
  get isUpgrading(): boolean {
    return this.#upgrading !== undefined;
  }

  /** Answers with bytes both ways; from here on the response is not the handler's any more. @throws as {@link json}. */
  async hijack(contentType: string): Promise<Hijacked> {
    const { request, response } = this;
    if (this.#upgrading === undefined) return answerWithStream(request, response, contentType);
    const { headers } = request;
    // What comes in pieces without a length is the process's: some clients never say how much they will send.
    if (this.#hasBody && headers["transfer-encoding"] === undefined)
      await readUpgradeBody(this.#upgrading, headers, BODY_BYTES_MAX);
    return hijackSocket(this.#upgrading, response, contentType);
  }

  /** Answers as a WebSocket; otherwise as {@link hijack}. @throws as {@link acceptWebSocket}, before anything is sent. */
  async webSocket(binary: boolean): Promise<Hijacked> {
    if (this.#upgrading === undefined) throw notWebSocket("no upgrade was asked for");
    const client = await acceptWebSocket(this.request, this.#upgrading, binary);
    this.response.detachSocket(this.#upgrading as Parameters<ServerResponse["detachSocket"]>[0]);
    return client;
  }

  header(name: string): string {
    const value = this.request.headers[name.toLowerCase()];
    return typeof value === "string" ? value : "";
  }

  /** The body as it comes. Left early the connection stays: a client that is refused half-way has to read why. */
  bodyBytes(): AsyncIterable<Uint8Array> {
    const { request, response } = this;
    if (response instanceof UpgradeResponse) return response.body();
    return request.iterator({ destroyOnReturn: false });
  }

  /** The body as JSON. @throws {ClusterError} `InvalidArgument` when it is not, or is followed by anything. */
  async json(): Promise<unknown> {
    const text = await this.#body();
    if (text === "")
      throw new ClusterError("InvalidArgument", "invalid JSON: got EOF while reading request body");
    const type = this.header("content-type").split(";", 1)[0]?.trim() ?? "";
    if (type.toLowerCase() !== "application/json") {
      throw new ClusterError(
        "InvalidArgument",
        `unsupported Content-Type header (${type}): must be 'application/json'`,
      );
    }
    try {
      return JSON.parse(text);
    } catch (cause) {
      const fault = findJsonFault(text);
      const message =
        fault.kind === "trailing"
          ? "unexpected content after JSON"
          : `invalid JSON: ${fault.message}`;
      throw new ClusterError("InvalidArgument", message, { cause });
    }
  }

  /** A body that is too large is read to its end and let go: who is cut off while sending does not read the answer. */
  async #body(): Promise<string> {
    if (this.#upgrading !== undefined) {
      this.#hasBody = false;
      const { headers } = this.request;
      return (await readUpgradeBody(this.#upgrading, headers, BODY_BYTES_MAX)).toString("utf8");
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.request) {
      bytes += (chunk as Buffer).length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
      if (bytes > SENT_BYTES_MAX) break;
    }
    if (bytes <= BODY_BYTES_MAX) return Buffer.concat(chunks).toString("utf8");
    throw new ClusterError(
      "InvalidArgument",
      `request body is larger than ${BODY_BYTES_MAX} bytes`,
    );
  }
}
