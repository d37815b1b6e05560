import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { unpackPackages } from "./debian-packages.ts";
import { eventually } from "./eventually.ts";

/** How the registry is to run. */
export interface RegistryOptions {
  /** Where it keeps everything; made when missing. */
  readonly dir: string;
  /** `127.0.0.1:5000`. */
  readonly listen: string;
  /** Lines `user:bcrypt hash`; without them everybody may do everything. */
  readonly htpasswd?: string;
  /** Clients get tokens there. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly certificatePem: string;
  };
  /** Speak TLS. */
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
  /** Name of a network namespace (`ip netns`) to run in. */
  readonly netns?: string;
}

/** A registry that runs. */
export interface RunningRegistry {
  /** `127.0.0.1:5000`. */
  readonly addr: string;
  close(): Promise<void>;
}

const INSTALLED = "/usr/bin/docker-registry";
/** Secrets and caches of it live with the process: tests start it fresh. */
const STOP_TIMEOUT_MS = 5000;

/**
 * Starts Debian's docker-registry and waits until it answers. It ends with this process's `close`, not by itself.
 *
 * @throws {Error} with the registry's own words when it does not start.
 */
export async function startRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const config = join(options.dir, "config.json");
  await mkdir(join(options.dir, "data"), { recursive: true });
  await writeFile(join(options.dir, "htpasswd"), `${options.htpasswd ?? ""}\n`);
  await writeFile(join(options.dir, "token.pem"), options.token?.certificatePem ?? "");
  await writeFile(join(options.dir, "tls.pem"), options.tls?.certificatePem ?? "");
  await writeFile(join(options.dir, "tls.key"), options.tls?.keyPem ?? "");
  // JSON is YAML too.
  await writeFile(config, JSON.stringify(configOf(options)));
  const program = await registryProgram();
  const inside = options.netns === undefined ? [] : [`--net=/run/netns/${options.netns}`];
  const [command = program, ...args] =
    options.netns === undefined ? [program] : ["nsenter", ...inside, "--", program];
  const child = spawn(command, [...args, "serve", config], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-4000);
  });
  try {
    await eventually(`the registry at ${options.listen} answers`, async () => {
      if (child.exitCode !== null) throw new Error(`docker-registry ended: ${said}`);
      return answers(options);
    });
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { addr: options.listen, close: () => stop(child) };
}

function configOf(options: RegistryOptions): object {
  const { dir, listen, tls } = options;
  const auth = authOf(options);
  const files = { certificate: join(dir, "tls.pem"), key: join(dir, "tls.key") };
  return {
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } },
    http: { addr: listen, ...(tls === undefined ? {} : { tls: files }) },
    ...(auth === undefined ? {} : { auth }),
  };
}

function authOf({ dir, htpasswd, token }: RegistryOptions): object | undefined {
  if (htpasswd !== undefined) return { htpasswd: { realm: "test", path: join(dir, "htpasswd") } };
  if (token === undefined) return undefined;
  const { realm, service, issuer } = token;
  return { token: { realm, service, issuer, rootcertbundle: join(dir, "token.pem") } };
}

async function registryProgram(): Promise<string> {
  if (existsSync(INSTALLED)) return INSTALLED;
  return join(await unpackPackages(["docker-registry"]), INSTALLED);
}

/** Asked from inside its namespace: from here there may be no way to it. */
async function answers({ listen, netns }: RegistryOptions): Promise<boolean> {
  if (netns === undefined) return accepts(listen);
  const at = listen.lastIndexOf(":");
  const script = `require("net").connect(${Number(listen.slice(at + 1))}, ${JSON.stringify(listen.slice(0, at))}).on("connect", () => process.exit(0)).on("error", () => process.exit(1))`;
  const args = [`--net=/run/netns/${netns}`, "--", process.execPath, "-e", script];
  return new Promise((resolve) => execFile("nsenter", args, (error) => resolve(error === null)));
}

function accepts(listen: string): Promise<boolean> {
  const at = listen.lastIndexOf(":");
  return new Promise((resolve) => {
    const socket = connect(Number(listen.slice(at + 1)), listen.slice(0, at));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(killer);
}
