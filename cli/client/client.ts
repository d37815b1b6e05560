import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";

/** The API version the CLI speaks. */
const API_PREFIX = "/v1.51";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Filters as the API takes them. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** A daemon's HTTP API. Every call throws ClusterError with the daemon's own message, or `Unavailable` when none answers. */
export class Client {
  readonly #host: string;
  readonly #endpoint: Endpoint;

  constructor(host: string) {
    this.#host = host;
    this.#endpoint = parseEndpoint(host);
  }

  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.#json("GET", path, query, undefined)) as T;
  }

  /** @returns the decoded body; undefined when it is empty. */
  async post<T>(path: string, body: unknown, query: Query = {}): Promise<T> {
    return (await this.#json("POST", path, query, body)) as T;
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.#json("DELETE", path, query, undefined);
  }

  /** The body as it comes, for logs. */
  async stream(path: string, query: Query): Promise<IncomingMessage> {
    return await this.#open("GET", path, query, undefined);
  }

  async #json(method: string, path: string, query: Query, body: unknown): Promise<unknown> {
    const text = await readAll(await this.#open(method, path, query, body));
    return text === "" ? undefined : JSON.parse(text);
  }

  async #open(method: string, path: string, query: Query, body: unknown): Promise<IncomingMessage> {
    const response = await this.#send(method, `${API_PREFIX}${path}${encodeQuery(query)}`, body);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const text = await readAll(response);
    throw new ClusterError(codeOf(status), `Error response from daemon: ${messageOf(text)}`);
  }

  async #send(method: string, path: string, body: unknown): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
    const { kind, ...target } = this.#endpoint;
    const options: RequestOptions = { ...target, method, path, headers };
    return await new Promise((resolve, reject) => {
      const request = httpRequest(options, resolve);
      request.once("error", (cause) => reject(this.#unreachable(cause)));
      request.end(text);
    });
  }

  #unreachable(cause: NodeJS.ErrnoException): ClusterError {
    const why =
      cause.code === "EACCES"
        ? "permission denied: run as root or as a member of the socket's group"
        : "is musterd running?";
    const message = `cannot connect to the Muster daemon at ${this.#host} (${cause.code ?? cause.message}): ${why}`;
    return new ClusterError("Unavailable", message, { cause });
  }
}

/** The `filters` parameter; undefined when there are none. */
export function encodeFilters(filters: Filters): string | undefined {
  return Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);
}

function encodeQuery(query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  if (set.length === 0) return "";
  return `?${new URLSearchParams(set.map(([key, value]) => [key, value === true ? "1" : String(value)]))}`;
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
