import { findLogin, HUB, type Login } from "./credentials.ts";

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

function encodeAuth(server: string, { username, password, identityToken }: Login): string {
  const fields = { username, password, identitytoken: identityToken, serveraddress: server };
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/** The part before the first slash if it looks like a host, else Docker Hub. */
function serverOf(image: string): string {
  const [first = "", rest] = image.split("/", 2);
  const isHost = rest !== undefined && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : HUB;
}
