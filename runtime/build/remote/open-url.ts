import type { Readable } from "node:stream";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { isUrl } from "./remote-url.ts";

/** As many as Docker follows. */
const REDIRECTS_MAX = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces: longer means the connection is dead. */
const BODY_IDLE_TIMEOUT_MS = 60_000;
/** From the first request to the last byte. */
const DOWNLOAD_MS_MAX = 3_600_000;
/** Of what a server says of an error. */
const ERROR_TEXT_BYTES_MAX = 4096;
const REDIRECTS = [301, 302, 303, 307, 308];

/** What a URL brings, on its way. */
export interface OpenUrl {
  header(name: string): string;
  /** Undefined: the server does not say. */
  readonly sizeBytes: number | undefined;
  /** Must be read or destroyed. @throws {ClusterError} Unavailable, Cancelled. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Asks for what is at a URL, by the proxy that the environment names, and reads it with `work`.
 *
 * @throws {ClusterError} NotFound, PermissionDenied (by status); Unavailable; Cancelled; what `work` throws. Docker's words.
 */
export async function withUrl<T>(
  text: string,
  signal: AbortSignal,
  work: (opened: OpenUrl) => Promise<T>,
): Promise<T> {
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_IDLE_TIMEOUT_MS,
  });
  const limited = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS_MAX)]);
  const broken = (error: unknown) => connectionError(error, text, signal);
  try {
    const response = await follow(text, agent, limited).catch((error: unknown) => {
      throw broken(error);
    });
    if (response.statusCode >= 400) throw await refusal(text, response);
    const header = (name: string) => String(response.headers[name] ?? "");
    const length = header("content-length");
    return await work({
      header,
      sizeBytes: /^\d{1,15}$/.test(length) ? Number(length) : undefined,
      chunks: chunksOf(response.body, broken),
    });
  } finally {
    await agent.destroy();
  }
}

async function follow(
  text: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let url = new URL(text);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const headers = { "user-agent": "muster" };
    const response = await request(url, { method: "GET", headers, dispatcher, signal });
    const location = String(response.headers.location ?? "");
    if (!REDIRECTS.includes(response.statusCode) || !URL.canParse(location, url.href))
      return response;
    await response.body.dump();
    url = new URL(location, url);
    if (!isUrl(url.href))
      throw unavailable(text, `redirected to ${url.protocol}, which is not fetched`);
  }
  throw unavailable(text, `stopped after ${REDIRECTS_MAX} redirects`);
}

async function* chunksOf(
  body: Readable,
  broken: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    throw broken(error);
  }
}

async function refusal(text: string, response: Dispatcher.ResponseData): Promise<ClusterError> {
  const { statusCode } = response;
  const said: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    said.push(chunk);
    bytes += chunk.length;
    if (bytes >= ERROR_TEXT_BYTES_MAX) break;
  }
  const words = Buffer.concat(said).subarray(0, ERROR_TEXT_BYTES_MAX).toString("utf8").trim();
  const message = `failed to GET ${text} with status ${statusCode}: ${words}`;
  if (statusCode === 404) return new ClusterError("NotFound", message);
  const isForbidden = statusCode === 401 || statusCode === 403;
  return new ClusterError(isForbidden ? "PermissionDenied" : "Unavailable", message);
}

function connectionError(error: unknown, text: string, signal: AbortSignal): unknown {
  if (error instanceof ClusterError) return error;
  if (signal.aborted) return new ClusterError("Cancelled", "Build cancelled");
  return unavailable(text, reasonOf(error, new URL(text)), error);
}

function unavailable(text: string, reason: string, cause?: unknown): ClusterError {
  return new ClusterError("Unavailable", `Get "${text}": ${reason}`, { cause });
}

/** In the words that Docker has for it. */
function reasonOf(error: unknown, { hostname, port, protocol }: URL): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const address = `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
  switch (code) {
    case "ENOTFOUND":
      return `dial tcp: lookup ${hostname}: no such host`;
    case "EAI_AGAIN":
      return `dial tcp: lookup ${hostname}: no name server answers`;
    case "ECONNREFUSED":
      return `dial tcp ${address}: connect: connection refused`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `dial tcp ${address}: connect: ${code === "ENETUNREACH" ? "network is unreachable" : "no route to host"}`;
    case "UND_ERR_CONNECT_TIMEOUT":
      return `dial tcp ${address}: i/o timeout`;
    default:
      return error instanceof Error && error.name === "TimeoutError"
        ? `not done after ${DOWNLOAD_MS_MAX / 1000} s`
        : errorMessage(error);
  }
}
