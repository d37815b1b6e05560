import { execFileSync } from "node:child_process";
import { ClusterError } from "../../core/errors.ts";
import {
  type DockerConfig,
  dockerConfigPath,
  readDockerConfig,
  type StoredLogin,
  writeDockerConfig,
} from "./docker-config.ts";

/** Docker Hub's key among logins. */
export const HUB = "https://index.docker.io/v1/";
/** A helper may ask its person to unlock something. */
const HELPER_TIMEOUT_MS = 60_000;
const HELPER_NAME = /^[A-Za-z0-9_.-]+$/;
/** What helpers say in place of a user name when the secret is a token. */
const TOKEN_USER = "<token>";

/** A login for one registry; with a token the password is empty. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}

/** The login kept for a registry; undefined: none. @throws {ClusterError} when its helper fails. */
export function findLogin(server: string): Login | undefined {
  const config = readDockerConfig();
  const helper = helperOf(config, server);
  if (helper !== undefined) return askHelper(helper, server);
  const stored = findStored(config.auths ?? {}, server);
  if (stored === undefined) return undefined;
  const { username, password } = splitPair(stored.auth ?? "");
  return { username, password, identityToken: stored.identitytoken ?? "" };
}

/**
 * The entry of a registry: by its key, else by the host of a key that older clients wrote as an address.
 *
 * Source: docker/cli, configfile, file_store.go.
 */
export function findStored(
  auths: Readonly<Record<string, StoredLogin>>,
  server: string,
): StoredLogin | undefined {
  if (Object.hasOwn(auths, server)) return auths[server];
  const host = hostOf(server);
  return Object.entries(auths).find(([key]) => hostOf(key) === host)?.[1];
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

/** Keeps a login: with the helper, if there is one, else in config.json. @returns a warning, if any. */
export function storeLogin(server: string, login: Login): string | undefined {
  const config = readDockerConfig();
  const helper = helperOf(config, server);
  const isToken = login.identityToken !== "";
  if (helper !== undefined) {
    const Username = isToken ? TOKEN_USER : login.username;
    const Secret = isToken ? login.identityToken : login.password;
    runHelper(helper, "store", JSON.stringify({ ServerURL: server, Username, Secret }));
    writeDockerConfig({ ...config, auths: { ...config.auths, [server]: {} } });
    return undefined;
  }
  const pair = `${login.username}:${isToken ? "" : login.password}`;
  const stored = {
    auth: Buffer.from(pair).toString("base64"),
    ...(isToken ? { identitytoken: login.identityToken } : {}),
  };
  writeDockerConfig({ ...config, auths: { ...config.auths, [server]: stored } });
  return `WARNING! Your password will be stored unencrypted in ${dockerConfigPath()}.\nConfigure a credential helper to remove this warning.\n`;
}

/** @returns whether there was one. */
export function eraseLogin(server: string): boolean {
  const config = readDockerConfig();
  const { [server]: stored, ...auths } = config.auths ?? {};
  const helper = helperOf(config, server);
  if (helper !== undefined) runHelper(helper, "erase", server);
  if (stored === undefined) return false;
  writeDockerConfig({ ...config, auths });
  return true;
}

function helperOf({ credHelpers, credsStore }: DockerConfig, server: string): string | undefined {
  return credHelpers?.[server] ?? (credsStore || undefined);
}

/** Source: docker-credential-helpers, README, "Development". */
function askHelper(helper: string, server: string): Login | undefined {
  let answer: string;
  try {
    answer = runHelper(helper, "get", server);
  } catch (error) {
    if (error instanceof ClusterError && error.code === "NotFound") return undefined;
    throw error;
  }
  const { Username = "", Secret = "" } = JSON.parse(answer) as Record<string, string>;
  const isToken = Username === TOKEN_USER;
  return {
    username: isToken ? "" : Username,
    password: isToken ? "" : Secret,
    identityToken: isToken ? Secret : "",
  };
}

/** What it is given goes to its standard input: arguments are seen by others. */
function runHelper(helper: string, verb: "get" | "store" | "erase", input: string): string {
  if (!HELPER_NAME.test(helper))
    throw new ClusterError(
      "InvalidArgument",
      `invalid credential helper ${JSON.stringify(helper)} in ${dockerConfigPath()}`,
    );
  const program = `docker-credential-${helper}`;
  try {
    const options = { input, encoding: "utf8", timeout: HELPER_TIMEOUT_MS } as const;
    return execFileSync(program, [verb], { ...options, stdio: ["pipe", "pipe", "ignore"] });
  } catch (cause) {
    const { code, stdout = "" } = cause as NodeJS.ErrnoException & { stdout?: string };
    if (/credentials not found/.test(stdout))
      throw new ClusterError("NotFound", "credentials not found");
    const reason = code === "ENOENT" ? "it is not installed" : stdout.trim() || "it failed";
    throw new ClusterError("Unavailable", `cannot use ${program}: ${reason}`);
  }
}

function splitPair(auth: string): { readonly username: string; readonly password: string } {
  const [username = "", ...rest] = Buffer.from(auth, "base64").toString("utf8").split(":");
  return { username, password: rest.join(":") };
}
