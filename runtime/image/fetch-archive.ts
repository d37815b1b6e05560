import { EnvHttpProxyAgent, interceptors, request } from "undici";
import { ClusterError } from "../../core/errors.ts";
import { asked, connectionError } from "./registry/connection-error.ts";

/** Of a refusal's text, that is shown. */
const REFUSAL_BYTES_MAX = 1024;
const REDIRECTS_MAX = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** Until the answer begins, and between two pieces of it. */
const IDLE_TIMEOUT_MS = 60_000;
const SCHEMES = ["http:", "https:"];

/** A file on its way. */
export interface FetchedArchive {
  readonly url: string;
  /** 0: the server does not say. */
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Begins to fetch a file for an import. Who may talk to the daemon may send it anywhere, as with Docker's.
 *
 * @param text a URL; without a scheme it is `http://`.
 * @throws {ClusterError} InvalidArgument, NotFound, Unavailable, Cancelled.
 * Source: moby, api/server/router/image/image_routes.go; builder/remotecontext/remote.go, GetWithStatusError.
 */
export async function fetchArchive(text: string, signal: AbortSignal): Promise<FetchedArchive> {
  const whole = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || !SCHEMES.includes(url.protocol))
    throw new ClusterError(
      "InvalidArgument",
      `cannot import from ${text}: give a http or https URL`,
    );
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  const what = { what: asked("GET", url), host: url.host, signal };
  try {
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: REDIRECTS_MAX }));
    const answer = await request(url, { dispatcher: following, signal });
    const { statusCode, headers, body } = answer;
    if (statusCode >= 400) {
      const said = (await readStart(body)).trim();
      const message = `failed to GET ${url.href} with status ${statusCode}: ${said}`;
      throw new ClusterError(statusCode === 404 ? "NotFound" : "Unavailable", message);
    }
    const length = Number(headers["content-length"] ?? 0);
    const sizeBytes = Number.isSafeInteger(length) ? length : 0;
    return { url: whole, sizeBytes, bytes: untilEnd(body, dispatcher, what) };
  } catch (error) {
    await dispatcher.destroy();
    throw connectionError(error, what);
  }
}

async function* untilEnd(
  body: AsyncIterable<Uint8Array>,
  dispatcher: EnvHttpProxyAgent,
  what: Parameters<typeof connectionError>[1],
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw connectionError(error, what);
  } finally {
    await dispatcher.destroy();
  }
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= REFUSAL_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, REFUSAL_BYTES_MAX).toString("utf8");
}
