import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import { API_VERSION, agreedVersion, isOlder } from "./api-version.ts";
import { parseEndpoint } from "./endpoint.ts";
import { type HijackedConnection, sendForUpgrade } from "./hijack.ts";
import type { ClientTls } from "./tls.ts";
import { open, type Target } from "./transport.ts";

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

/**
 * A daemon's HTTP API. Every call throws ClusterError with the daemon's own message, or `Unavailable` when none answers.
 *
 * It speaks its newest version until a daemon refuses that: to ask first costs every command a request (8 ms of
 * 250), and an older daemon's refusal says the same. Only what cannot be sent twice asks first.
 */
export class Client {
  readonly #host: string;
  readonly #target: Target;
  #version: string;
  /** Whether the daemon is known to take it, or the user wants it. */
  #isAgreed: boolean;

  /**
   * @param tls undefined: TCP is not secured; a Unix socket never is.
   * @param version spoken as it is; undefined: the newest that both know.
   */
  constructor(host: string, tls?: ClientTls, version?: string) {
    this.#host = host;
    this.#target = { ...parseEndpoint(host, tls !== undefined), tls };
    this.#version = version ?? API_VERSION;
    this.#isAgreed = version !== undefined;
  }

  /** As it was given: unix:///path. */
  get host(): string {
    return this.#host;
  }

  /** The API version that is spoken; may turn out to be an older one with the first answer. */
  get version(): string {
    return this.#version;
  }

  /** The same, settled: asks the daemon where nothing has told yet. */
  async agreeOnVersion(): Promise<string> {
    if (this.#isAgreed) return this.#version;
    const answer = await this.#send("GET", "/_ping", {});
    answer.resume();
    this.#version = agreedVersion(newestOf(answer), this.#host);
    this.#isAgreed = true;
    return this.#version;
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
    const send = async (version: string) =>
      sendForUpgrade(
        this.#target,
        { method: "POST", path: `/v${version}${path}${encodeQuery(query)}`, headers },
        text,
      ).catch((cause: unknown) => {
        throw this.#unreachable(cause as NodeJS.ErrnoException);
      });
    const version = this.#version;
    let answer = await send(version);
    if (!isConnection(answer) && this.#takesOlder(answer, version))
      answer = await send(this.#version);
    if (isConnection(answer)) return answer;
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
    if (parts.archive !== undefined) await this.agreeOnVersion();
    const version = this.#version;
    const response = await this.#send(
      method,
      `/v${version}${path}${encodeQuery(parts.query ?? {})}`,
      parts,
    );
    if ((response.statusCode ?? 0) < 400) {
      this.#isAgreed = true;
      return response;
    }
    if (parts.archive === undefined && this.#takesOlder(response, version))
      return this.#open(method, path, parts);
    throw await refusalOf(response);
  }

  /**
   * Whether a request in `version` was refused because the daemon knows only older ones; those are spoken from then on.
   *
   * By its header, not its words: no daemon answers what is newer than it knows.
   */
  #takesOlder(refusal: IncomingMessage, version: string): boolean {
    const newest = newestOf(refusal);
    const isTooNew = refusal.statusCode === 400 && newest !== undefined && isOlder(newest, version);
    if (!isTooNew || (this.#isAgreed && version === this.#version)) return false;
    refusal.resume();
    this.#version = agreedVersion(newest, this.#host);
    this.#isAgreed = true;
    return true;
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

/** The newest API version that a daemon knows; it says so with every answer. */
function newestOf({ headers }: IncomingMessage): string | undefined {
  const newest = headers["api-version"];
  return typeof newest === "string" ? newest : undefined;
}

function isConnection(answer: HijackedConnection | IncomingMessage): answer is HijackedConnection {
  return "isFramed" in answer;
}

/** What to do about it. */
function reasonOf({ code = "", message }: NodeJS.ErrnoException, { kind, tls }: Target): string {
  if (code === "EACCES")
    return "permission denied: run as root or as a member of the socket's group";
  // What the other side says of us comes as an alert.
  const isTold = /ALERT/.test(code);
  if (!isTold && /CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return `${message}: check --tlscacert, and the name the certificate is for`;
  // A server that is spoken to in the wrong way, or by somebody it does not know, hangs up.
  const hungUp = ["ECONNRESET", "EPIPE"].includes(code);
  if (tls !== undefined && (hungUp || /SSL|TLS|alert/i.test(`${code} ${message}`)))
    return "it takes only clients it knows: check --tlscert and --tlskey, and whether it speaks TLS";
  if (kind === "tcp" && (hungUp || code.startsWith("HPE_")))
    return "it hung up: does it want TLS (--tlsverify)?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no host of that name";
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
  // The answer to HEAD has no words.
  const message =
    messageOf(await readAll(response)) || `${response.statusCode} ${response.statusMessage}`;
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
