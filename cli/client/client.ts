import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import { parseEndpoint } from "./endpoint.ts";
import { type HijackedConnection, sendForUpgrade } from "./hijack.ts";
import type { ClientTls } from "./tls.ts";
import { open, type Target } from "./transport.ts";

/** The API version the CLI speaks. */
const API_PREFIX = "/v1.51";

const EMPTY_REF = "invalid argument: a name or an id is empty";

type Headers = Readonly<Record<string, string>>;
/** A list gives its name once for each of its values. */
type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Filters as the API takes them. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** What a request has beside its path. */
interface Parts {
  readonly query?: Query;
  readonly headers?: Headers;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of a body. */
  readonly archive?: NodeJS.ReadableStream;
}

/** A daemon's HTTP API. Every call throws ClusterError with the daemon's own message, or `Unavailable` when none answers. */
export class Client {
  readonly #host: string;
  readonly #target: Target;

  /** @param tls undefined: TCP is not secured; a Unix socket never is. */
  constructor(host: string, tls?: ClientTls) {
    this.#host = host;
    this.#target = { ...parseEndpoint(host, tls !== undefined), tls };
  }

  /** As it was given: unix:///path. */
  get host(): string {
    return this.#host;
  }

  async get<T>(path: string, query: Query = {}, headers: Headers = {}): Promise<T> {
    return (await this.#json("GET", path, { query, headers })) as T;
  }

  /** @returns the decoded body; undefined when it is empty. */
  async post<T>(path: string, body: unknown, query: Query = {}, headers: Headers = {}): Promise<T> {
    return (await this.#json("POST", path, { query, headers, body })) as T;
  }

  /** Sends an archive as it is read. @returns the answer's text. */
  async upload(
    path: string,
    archive: NodeJS.ReadableStream,
    more: Pick<Parts, "query" | "headers"> = {},
  ): Promise<string> {
    return readAll(await this.#open("POST", path, { ...more, archive }));
  }

  /** The same with PUT. */
  async put(path: string, archive: NodeJS.ReadableStream, query: Query = {}): Promise<string> {
    return readAll(await this.#open("PUT", path, { query, archive }));
  }

  /** The headers alone. */
  async head(path: string, query: Query = {}): Promise<IncomingHttpHeaders> {
    const answer = await this.#open("HEAD", path, { query });
    answer.resume();
    return answer.headers;
  }

  /** The answer's body as it comes; its stream fails when the daemon stops in the middle. */
  async postForStream(
    path: string,
    body: unknown,
    more: Pick<Parts, "query" | "headers"> = {},
  ): Promise<IncomingMessage> {
    return this.#open("POST", path, { ...more, body });
  }

  /** The same of `upload`. */
  async uploadForStream(
    path: string,
    archive: NodeJS.ReadableStream,
    query: Query = {},
    headers: Headers = {},
  ): Promise<IncomingMessage> {
    return this.#open("POST", path, { query, headers, archive });
  }

  /** A connection for bytes both ways. */
  async hijack(path: string, body: unknown, query: Query = {}): Promise<HijackedConnection> {
    const text = JSON.stringify(body);
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(text),
    };
    const options = {
      method: "POST",
      path: `${API_PREFIX}${path}${encodeQuery(query)}`,
      headers,
    };
    const answer = await sendForUpgrade(this.#target, options, text).catch((cause: unknown) => {
      throw this.#unreachable(cause as NodeJS.ErrnoException);
    });
    if ("socket" in answer && "isFramed" in answer) return answer;
    throw await refusalOf(answer);
  }

  /** @returns the decoded body; undefined when it is empty. */
  async delete<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.#json("DELETE", path, { query })) as T;
  }

  /** The body as it comes, for logs. */
  async stream(path: string, query: Query): Promise<IncomingMessage> {
    return this.#open("GET", path, { query });
  }

  async #json(method: string, path: string, parts: Parts): Promise<unknown> {
    const text = await readAll(await this.#open(method, path, parts));
    return text === "" ? undefined : JSON.parse(text);
  }

  async #open(method: string, path: string, parts: Parts): Promise<IncomingMessage> {
    // Without this, "inspect ''" would be a list and "rm ''" whatever the daemon makes of it.
    if (/\/(\/|$)/.test(path)) throw new ClusterError("InvalidArgument", EMPTY_REF);
    const response = await this.#send(
      method,
      `${API_PREFIX}${path}${encodeQuery(parts.query ?? {})}`,
      parts,
    );
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw await refusalOf(response);
  }

  async #send(
    method: string,
    path: string,
    { body, archive, headers: extra }: Parts,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const length = text === undefined ? {} : { "Content-Length": Buffer.byteLength(text) };
    const type = archive === undefined ? "application/json" : "application/x-tar";
    const headers = { ...extra, "Content-Type": type, ...length };
    return new Promise((resolve, reject) => {
      const request = open(this.#target, { method, path, headers }).once("response", resolve);
      request.once("error", (cause) => reject(this.#unreachable(cause)));
      if (archive === undefined) request.end(text);
      else {
        archive.once("error", (cause: unknown) => {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
          request.destroy();
        });
        archive.pipe(request);
      }
    });
  }

  #unreachable(cause: NodeJS.ErrnoException): ClusterError {
    const why = reasonOf(cause, this.#target);
    const message = `cannot connect to the Muster daemon at ${this.#host} (${cause.code ?? cause.message}): ${why}`;
    return new ClusterError("Unavailable", message, { cause });
  }
}

/** What to do about it. */
function reasonOf({ code = "", message }: NodeJS.ErrnoException, { kind, tls }: Target): string {
  if (code === "EACCES")
    return "permission denied: run as root or as a member of the socket's group";
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return `${message}: check --tlscacert, and the name the certificate is for`;
  // A server that is spoken to in the wrong way, or by somebody it does not know, hangs up.
  const hungUp = ["ECONNRESET", "EPIPE"].includes(code);
  if (tls !== undefined && (hungUp || /SSL|TLS|alert/i.test(`${code} ${message}`)))
    return "it takes only clients it knows: check --tlscert and --tlskey, and whether it speaks TLS";
  if (kind === "tcp" && (hungUp || code.startsWith("HPE_")))
    return "it hung up: does it want TLS (--tlsverify)?";
  return "is musterd running?";
}

/** The `filters` parameter; undefined when there are none. */
export function encodeFilters(filters: Filters): string | undefined {
  return Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);
}

function encodeQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) search.append(key, one);
    else if (value !== undefined && value !== false)
      search.set(key, value === true ? "1" : String(value));
  }
  return search.size === 0 ? "" : `?${search}`;
}

async function refusalOf(response: IncomingMessage): Promise<ClusterError> {
  const message = messageOf(await readAll(response));
  return new ClusterError(
    codeOf(response.statusCode ?? 0),
    `Error response from daemon: ${message}`,
  );
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.trim();
  }
}

function codeOf(status: number): ErrorCode {
  const codes: Readonly<Record<number, ErrorCode>> = {
    400: "InvalidArgument",
    404: "NotFound",
    409: "AlreadyExists",
    501: "Unimplemented",
    503: "Unavailable",
  };
  return codes[status] ?? "Internal";
}
