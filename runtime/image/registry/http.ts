import type { Readable } from "node:stream";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { ClusterError } from "../../../core/errors.ts";
import { asked as askedOf, connectionError } from "./connection-error.ts";
import type { Endpoint } from "./endpoints.ts";

/** Until a connection stands, TLS included. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Until an answer begins; registries check uploads in that time. */
const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces of an answer: longer means the connection is dead. */
const BODY_IDLE_TIMEOUT_MS = 30_000;
const REDIRECTS_MAX = 5;

/** One question to a registry. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Its answer; the body must be read or dumped. */
export interface HttpResponse {
  readonly status: number;
  header(name: string): string;
  readonly body: Dispatcher.ResponseData["body"];
}

/** Connections to registries, verified or not, kept for the next request. */
export class RegistryHttp {
  readonly #verified = new EnvHttpProxyAgent(agentOptions(true));
  readonly #unverified = new Agent(agentOptions(false));

  /**
   * Sends a request; for GET and HEAD follows redirects, which lose the Authorization header at another origin.
   *
   * @throws {ClusterError} Unavailable when there is no answer, Cancelled.
   */
  async send(endpoint: Endpoint, asked: HttpRequest): Promise<HttpResponse> {
    let { url, headers } = asked;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      const response = await this.#sendOnce(endpoint, { ...asked, url, headers });
      const next = redirectOf(asked, response, url);
      if (next === undefined) return response;
      await response.body.dump();
      if (next.protocol !== "https:" && !endpoint.insecure)
        throw new ClusterError("Unavailable", `${url.host} redirects to ${next.host} without TLS`);
      if (next.origin !== url.origin) headers = withoutAuthorization(headers);
      url = next;
    }
    throw new ClusterError(
      "Unavailable",
      `${asked.url.host} redirects more than ${REDIRECTS_MAX} times`,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#verified.destroy(), this.#unverified.destroy()]);
  }

  async #sendOnce(endpoint: Endpoint, asked: HttpRequest): Promise<HttpResponse> {
    const { method, url, headers, signal } = asked;
    try {
      const response = await request(url, {
        method,
        headers: { ...headers, "user-agent": "muster" },
        body: asked.body ?? null,
        signal: signal ?? null,
        dispatcher: endpoint.insecure ? this.#unverified : this.#verified,
      });
      return {
        status: response.statusCode,
        header: (name) => headerText(response.headers[name]),
        body: response.body,
      };
    } catch (error) {
      throw connectionError(error, { what: askedOf(method, url), host: url.host, signal });
    }
  }
}

function agentOptions(verify: boolean): Agent.Options {
  return {
    connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: verify },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_IDLE_TIMEOUT_MS,
  };
}

function redirectOf(asked: HttpRequest, response: HttpResponse, from: URL): URL | undefined {
  if (asked.method !== "GET" && asked.method !== "HEAD") return undefined;
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.header("location");
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : (value ?? "");
}
