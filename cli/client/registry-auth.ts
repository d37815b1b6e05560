import { findLogin, HUB, type Login } from "./credentials.ts";
import { readDockerConfig } from "./docker-config.ts";

/** An empty object. */
const NO_LOGIN = Buffer.from("{}").toString("base64url");

/** The X-Registry-Auth value for an image from the login kept for its registry; undefined when there is none. */
export function registryAuth(image: string): string | undefined {
  const server = serverOf(image);
  const login = findLogin(server);
  return login === undefined ? undefined : encodeAuth(server, login);
}

/** The same as a header; none when there is no login. */
export function authHeader(image: string): Record<string, string> {
  const auth = registryAuth(image);
  return auth === undefined ? {} : { "X-Registry-Auth": auth };
}

/** The same where a daemon wants the header in any case: older ones do, of a push. */
export function requiredAuthHeader(image: string): Record<string, string> {
  return { "X-Registry-Auth": registryAuth(image) ?? NO_LOGIN };
}

/** All logins there are, as builds take them: which one is needed shows only there. */
export function registryConfigHeader(): Record<string, string> {
  const { auths = {}, credHelpers = {} } = readDockerConfig();
  const servers = [...new Set([...Object.keys(auths), ...Object.keys(credHelpers)])];
  const logins = servers.flatMap((server) => {
    const login = findLogin(server);
    return login === undefined ? [] : [[server, fieldsOf(server, login)] as const];
  });
  if (logins.length === 0) return {};
  const config = JSON.stringify(Object.fromEntries(logins));
  return { "X-Registry-Config": Buffer.from(config).toString("base64url") };
}

function encodeAuth(server: string, login: Login): string {
  return Buffer.from(JSON.stringify(fieldsOf(server, login))).toString("base64url");
}

function fieldsOf(server: string, { username, password, identityToken }: Login): object {
  return { username, password, identitytoken: identityToken, serveraddress: server };
}

/** The part before the first slash if it looks like a host, else Docker Hub. */
function serverOf(image: string): string {
  const [first = "", rest] = image.split("/", 2);
  const isHost = rest !== undefined && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : HUB;
}
