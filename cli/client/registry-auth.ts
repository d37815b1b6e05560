import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const HUB = "https://index.docker.io/v1/";

/**
 * The X-Registry-Auth value for an image from the credentials that `docker login` left in config.json; undefined when
 * there are none for its registry.
 */
export function registryAuth(image: string): string | undefined {
  const registry = registryOf(image);
  const encoded = readAuths()[registry]?.auth;
  if (encoded === undefined) return undefined;
  const [username = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const auth = { username, password: password.join(":"), serveraddress: registry };
  return Buffer.from(JSON.stringify(auth)).toString("base64url");
}

/** The part before the first slash if it looks like a host, else Docker Hub. */
function registryOf(image: string): string {
  const [first = "", rest] = image.split("/", 2);
  const isHost = rest !== undefined && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : HUB;
}

function readAuths(): Record<string, { readonly auth?: string }> {
  const folder = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker");
  try {
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    return (config as { auths?: Record<string, { auth?: string }> }).auths ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
