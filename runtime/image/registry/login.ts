import { ClusterError } from "../../../core/errors.ts";
import type { Credentials } from "../types.ts";
import { type Challenge, parseChallenge, tokenUrl } from "./challenge.ts";
import type { Endpoint } from "./endpoints.ts";
import type { HttpRequest, HttpResponse, RegistryHttp } from "./http.ts";
import { basic, isProtected, readText, refreshRequest } from "./repository.ts";

const CLIENT_ID = "muster";

/**
 * Finds out whether a registry lets somebody in.
 *
 * @returns a token to use instead of the password from now on; empty when the registry gives none.
 * @throws {ClusterError} Unauthenticated in Docker's words; Unavailable, Cancelled.
 * Source: moby, registry/auth.go; distribution, auth/token.md, "Requesting a Token".
 */
export async function loginAt(
  http: RegistryHttp,
  endpoint: Endpoint,
  credentials: Credentials,
  signal: AbortSignal | undefined,
): Promise<string> {
  const url = new URL(`${endpoint.baseUrl}/v2/`);
  const ask = (headers: Readonly<Record<string, string>>) =>
    http.send(endpoint, { method: "GET", url, headers, signal });
  const first = await ask({});
  await first.body.dump();
  // It lets everybody in: Docker calls that a login too.
  if (first.status === 200) return "";
  if (first.status !== 401) throw refused(url, first);
  const challenge = parseChallenge(first.header("www-authenticate"));
  const guarded = challenge.scheme === "basic" ? url : challenge.realm;
  if (!isProtected(guarded) && !endpoint.insecure)
    throw new ClusterError(
      "Unauthenticated",
      `cannot log in to ${guarded.host}: it has no TLS, and the password is not sent without`,
    );
  const pass =
    challenge.scheme === "basic"
      ? { authorization: basic(credentials), identityToken: "" }
      : await fetchPass(http, endpoint, challenge, credentials, signal);
  const second = await ask({ authorization: pass.authorization });
  await second.body.dump();
  if (second.status !== 200) throw refused(url, second);
  return pass.identityToken;
}

interface Pass {
  readonly authorization: string;
  readonly identityToken: string;
}

async function fetchPass(
  http: RegistryHttp,
  endpoint: Endpoint,
  challenge: Challenge & { scheme: "bearer" },
  credentials: Credentials,
  signal: AbortSignal | undefined,
): Promise<Pass> {
  const asked = credentials.identityToken
    ? refreshRequest(challenge, "", credentials.identityToken)
    : passwordRequest(challenge, credentials);
  const response = await http.send(endpoint, { ...asked, signal });
  const text = await readText(response);
  if (response.status !== 200) throw refused(asked.url, response);
  const { token, access_token, refresh_token } = parseAnswer(text);
  const bearer = [token, access_token].find((one) => typeof one === "string" && one !== "");
  if (bearer === undefined) throw refused(asked.url, response);
  const identityToken = typeof refresh_token === "string" ? refresh_token : "";
  return { authorization: `Bearer ${bearer}`, identityToken };
}

function passwordRequest(
  challenge: Challenge & { scheme: "bearer" },
  credentials: Credentials,
): HttpRequest {
  const url = tokenUrl(challenge, "");
  url.searchParams.set("account", credentials.username);
  url.searchParams.set("client_id", CLIENT_ID);
  url.searchParams.set("offline_token", "true");
  return { method: "GET", url, headers: { authorization: basic(credentials) } };
}

function parseAnswer(text: string): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    // Not JSON: there is no token in it, and the caller says so.
    return {};
  }
}

/** Without the query: it names the account. */
function refused(url: URL, { status }: HttpResponse): ClusterError {
  const where = `${url.origin}${url.pathname}`;
  if (status === 401 || status === 403) {
    const words = status === 401 ? "401 Unauthorized" : "403 Forbidden";
    return new ClusterError(
      "Unauthenticated",
      `login attempt to ${where} failed with status: ${words}`,
    );
  }
  return new ClusterError("Unavailable", `cannot log in: ${where} answered with status ${status}`);
}
