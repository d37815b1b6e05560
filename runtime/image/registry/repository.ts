import { Readable } from "node:stream";
import { ClusterError } from "../../../core/errors.ts";
import type { Credentials } from "../types.ts";
import { type Challenge, parseChallenge, tokenUrl } from "./challenge.ts";
import type { Endpoint } from "./endpoints.ts";
import type { HttpRequest, HttpResponse, RegistryHttp } from "./http.ts";
import { parseRefusal, refusalError, type Subject } from "./registry-errors.ts";

/** Of a token, and of an error's text. */
const ANSWER_BYTES_MAX = 1024 * 1024;
const CLIENT_ID = "muster";

/** Where a repository is and who asks. */
export interface RepositoryOptions {
  readonly endpoint: Endpoint;
  /** `library/nginx`. */
  readonly path: string;
  readonly subject: Subject;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What is sent to a path of the repository, or to a URL the registry gave. */
export type RepositoryRequest = Omit<HttpRequest, "url" | "signal"> & {
  /** `manifests/latest`; or a whole URL. */
  readonly target: string | URL;
};

/** A repository of one registry, asked in one user's name: logs in when it is told to. */
export class Repository {
  readonly #http: RegistryHttp;
  readonly #options: RepositoryOptions;
  /** What worked; empty: nothing was asked for yet. */
  #authorization = "";

  constructor(http: RegistryHttp, options: RepositoryOptions) {
    this.#http = http;
    this.#options = options;
  }

  get host(): string {
    return new URL(this.#options.endpoint.baseUrl).host;
  }

  get baseUrl(): string {
    return this.#options.endpoint.baseUrl;
  }

  get subject(): Subject {
    return this.#options.subject;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** The same repository, logged in as this one, for work that ends by `signal`. */
  until(signal: AbortSignal): Repository {
    const repository = new Repository(this.#http, { ...this.#options, signal });
    repository.#authorization = this.#authorization;
    return repository;
  }

  /**
   * Sends a request and gives an answer whose status is `expected`.
   *
   * @throws {ClusterError} by the registry's refusal; Unauthenticated; Unavailable; Cancelled.
   */
  async send(asked: RepositoryRequest, expected: readonly number[]): Promise<HttpResponse> {
    const { baseUrl } = this.#options.endpoint;
    const url =
      asked.target instanceof URL
        ? asked.target
        : new URL(`${baseUrl}/v2/${this.#options.path}/${asked.target}`);
    let response = await this.#sendTo(url, asked);
    // A streamed body is spent: its upload was begun by a request that has logged in.
    const repeatable = !(asked.body instanceof Readable);
    if (response.status === 401 && repeatable && url.origin === new URL(baseUrl).origin) {
      await response.body.dump();
      this.#authorization = await this.#authorize(
        parseChallenge(response.header("www-authenticate")),
        url,
      );
      response = await this.#sendTo(url, asked);
    }
    if (expected.includes(response.status)) return response;
    throw await this.#refusal(response);
  }

  #sendTo(url: URL, { method, headers, body }: RepositoryRequest): Promise<HttpResponse> {
    const { endpoint, signal } = this.#options;
    const own = url.origin === new URL(endpoint.baseUrl).origin;
    const authorized =
      own && this.#authorization !== ""
        ? { ...headers, authorization: this.#authorization }
        : headers;
    return this.#http.send(endpoint, { method, url, headers: authorized, body, signal });
  }

  async #authorize(challenge: Challenge, asked: URL): Promise<string> {
    const { credentials, endpoint } = this.#options;
    if (challenge.scheme === "basic") {
      if (!credentials?.username) throw this.#noCredentials(asked);
      if (!isProtected(new URL(endpoint.baseUrl)) && !endpoint.insecure)
        throw this.#denied("the password is not sent without TLS");
      return basic(credentials);
    }
    if (credentials?.registryToken) return `Bearer ${credentials.registryToken}`;
    return `Bearer ${await this.#fetchToken(challenge)}`;
  }

  async #fetchToken(challenge: Challenge & { scheme: "bearer" }): Promise<string> {
    const { endpoint, path, subject, credentials, signal } = this.#options;
    if (!isProtected(challenge.realm) && !endpoint.insecure)
      throw this.#denied(`its token service ${challenge.realm.host} has no TLS`);
    const scope = `repository:${path}:${subject.action === "push" ? "pull,push" : "pull"}`;
    const asked: HttpRequest = credentials?.identityToken
      ? refreshRequest(challenge, scope, credentials.identityToken)
      : {
          method: "GET",
          url: tokenUrl(challenge, scope),
          headers: credentials?.username ? { authorization: basic(credentials) } : {},
        };
    const response = await this.#http.send(endpoint, { ...asked, signal });
    if (response.status !== 200) throw await this.#refusal(response);
    const token = tokenOf(await readText(response));
    if (token === "") throw this.#denied("its token service gave no token");
    return token;
  }

  async #refusal(response: HttpResponse): Promise<ClusterError> {
    const refusal = parseRefusal(response.status, await readText(response));
    return refusalError(refusal, this.#options.subject);
  }

  /** Docker's words, which tools look for. */
  #noCredentials(asked: URL): ClusterError {
    const verb = asked.pathname.includes("/manifests/") ? "Head" : "Get";
    const where = this.#options.subject.action === "pull" ? `${verb} "${asked.href}": ` : "";
    return new ClusterError("Unauthenticated", `${where}no basic auth credentials`);
  }

  #denied(reason: string): ClusterError {
    const { action, repository } = this.#options.subject;
    return new ClusterError(
      "Unauthenticated",
      `${action} access denied for ${repository}, repository does not exist or may require 'docker login': ${reason}`,
    );
  }
}

/** The answer's body as text, cut at ANSWER_BYTES_MAX. */
export async function readText(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString();
}

/** Asks a token service by a refresh token. @param scope empty: none. */
export function refreshRequest(
  challenge: Challenge & { scheme: "bearer" },
  scope: string,
  identityToken: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: identityToken,
    service: challenge.service,
    client_id: CLIENT_ID,
    ...(scope === "" ? {} : { scope }),
  });
  return {
    method: "POST",
    url: challenge.realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form.toString(),
  };
}

function tokenOf(body: string): string {
  try {
    const answer = JSON.parse(body) as { token?: unknown; access_token?: unknown } | null;
    const token = answer?.token ?? answer?.access_token;
    return typeof token === "string" ? token : "";
  } catch {
    // Not JSON: the caller says that there was no token.
    return "";
  }
}

/** The Authorization header of a name and password. */
export function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Whether what is sent there is read by nobody else. */
export function isProtected(url: URL): boolean {
  return url.protocol === "https:";
}
