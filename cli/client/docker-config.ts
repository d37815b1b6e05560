import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ClusterError } from "../../core/errors.ts";

/** What `docker login` keeps; fields that are not ours stay as they are. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, StoredLogin>>;
  /** The helper that keeps logins: `docker-credential-<name>`. */
  readonly credsStore?: string;
  /** Helpers of single registries. */
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly proxies?: Readonly<Record<string, ProxySettings>>;
  /** Keys that leave a container, unless told otherwise. */
  readonly detachKeys?: string;
  /** `--format` of lists, unless told otherwise. */
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
}

/** A proxy as `config.json` has it, by the name of the daemon it is for, or `default`. */
export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly ftpProxy?: string;
  readonly allProxy?: string;
}

export interface StoredLogin {
  /** `user:password` in base64. */
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** `--config`, else `$DOCKER_CONFIG`, else `.docker` in the home directory. */
export function dockerConfigFolder(): string {
  return process.env.DOCKER_CONFIG || join(homedir(), ".docker");
}

export function dockerConfigPath(): string {
  return join(dockerConfigFolder(), "config.json");
}

/** Empty when there is no file. @throws {ClusterError} `InvalidArgument` when it cannot be read. */
export function readDockerConfig(): DockerConfig {
  const path = dockerConfigPath();
  try {
    const config: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return config;
    throw new Error("it is not a JSON object");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return {};
    throw new ClusterError("InvalidArgument", `cannot read ${path}: ${message}`, { cause });
  }
}

/** Replaces the file whole; only its owner reads it. @throws {ClusterError} `PermissionDenied`. */
export function writeDockerConfig(config: DockerConfig): void {
  const path = dockerConfigPath();
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${JSON.stringify(config, null, "\t")}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (cause) {
    const message = `cannot write ${path}: ${(cause as Error).message}`;
    throw new ClusterError("PermissionDenied", message, { cause });
  }
}
