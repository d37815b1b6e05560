import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackPackages } from "./debian-packages.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** How one etcd member is to run. */
export interface EtcdOptions {
  /** Where it keeps everything, synced as in production; what is there already is gone on with. */
  readonly dir: string;
  /** IP of its ports; loopback when absent. */
  readonly host?: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Speak TLS to clients; with `caFile`, only to those with a certificate of that CA. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
  /** More flags for it. */
  readonly flags?: readonly string[];
  /** Words to put before the command, such as a lab's `enter`. */
  readonly enter?: readonly string[];
}

/** An etcd member that can be killed and started again on the same ports and data. */
export interface EtcdServer {
  /** `http://127.0.0.1:4711`. */
  readonly url: string;
  readonly pid: number | undefined;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it; its data stays. */
  close(): Promise<void>;
}

/** Members that form one cluster, in a folder of their own. */
export interface EtcdCluster {
  readonly members: readonly EtcdServer[];
  readonly urls: readonly string[];
  /** Stops all and removes their data. */
  close(): Promise<void>;
}

const INSTALLED = "/usr/bin/etcd";
const STOP_MS = 5000;
const READY_MS = 20_000;
const SAID_CHARS_MAX = 16_384;

/** Starts one member of a cluster of its own and waits until it answers. @throws {Error} with etcd's own words. */
export async function startEtcd(options: EtcdOptions): Promise<EtcdServer> {
  const server = new EtcdProcess(options, [options]);
  await server.start();
  return server;
}

/** Starts a cluster of `size` members on free loopback ports. The caller closes it. */
export async function startEtcdCluster(size: number): Promise<EtcdCluster> {
  const folder = await mkdtemp(join(tmpdir(), "muster-etcd-"));
  const all: EtcdOptions[] = [];
  for (let i = 0; i < size; i++) {
    const ports = { clientPort: await freePort(), peerPort: await freePort() };
    all.push({ dir: join(folder, `m${i}`), ...ports });
  }
  const members = all.map((options) => new EtcdProcess(options, all));
  const close = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // None answers before a majority is there.
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { members, urls: members.map(({ url }) => url), close };
}

class EtcdProcess implements EtcdServer {
  readonly url: string;
  readonly #options: EtcdOptions;
  readonly #all: readonly EtcdOptions[];
  #child: ChildProcess | undefined;
  #said = "";
  #isServing = false;

  constructor(options: EtcdOptions, all: readonly EtcdOptions[]) {
    this.#options = options;
    this.#all = all;
    this.url = clientUrl(options);
  }

  get pid(): number | undefined {
    return isRunning(this.#child) ? this.#child?.pid : undefined;
  }

  async start(): Promise<void> {
    if (isRunning(this.#child)) return;
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 });
    const words = [...(this.#options.enter ?? []), await etcdProgram(), ...this.#flags()];
    const [program = "", ...args] = words;
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.#said = "";
    this.#isServing = false;
    child.stderr.on("data", (data: Buffer) => {
      this.#said = (this.#said + data.toString()).slice(-SAID_CHARS_MAX);
      this.#isServing ||= this.#said.includes("serving client traffic");
    });
    try {
      await eventually(`etcd at ${this.url} is ready`, () => this.#isReady(), READY_MS);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async close(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(killer);
  }

  #flags(): readonly string[] {
    const { dir, flags = [] } = this.#options;
    const members = this.#all.map((one) => `${nameOf(one)}=${peerUrl(one)}`).join(",");
    return [
      ...["--name", nameOf(this.#options), "--data-dir", dir],
      ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
      ...["--listen-peer-urls", peerUrl(this.#options)],
      ...["--initial-advertise-peer-urls", peerUrl(this.#options)],
      ...[
        "--initial-cluster",
        members,
        "--initial-cluster-token",
        nameOf(this.#all[0] ?? this.#options),
      ],
      ...["--logger", "zap", "--log-level", "info"],
      ...tlsFlags(this.#options),
      ...flags,
    ];
  }

  /** As it says itself: it may be in another network, or ask for certificates we have not. */
  #isReady(): boolean {
    if (!isRunning(this.#child)) throw new Error(`etcd ended: ${this.#said}`);
    return this.#isServing;
  }
}

function isRunning(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

async function etcdProgram(): Promise<string> {
  if (existsSync(INSTALLED)) return INSTALLED;
  return join(await unpackPackages(["etcd-server"]), INSTALLED);
}

function nameOf({ peerPort }: EtcdOptions): string {
  return `etcd-${peerPort}`;
}

function tlsFlags({ tls }: EtcdOptions): readonly string[] {
  if (tls === undefined) return [];
  const own = ["--cert-file", tls.certFile, "--key-file", tls.keyFile];
  if (tls.caFile === undefined) return own;
  return [...own, "--client-cert-auth", "--trusted-ca-file", tls.caFile];
}

function clientUrl({ host = "127.0.0.1", clientPort, tls }: EtcdOptions): string {
  return `${tls === undefined ? "http" : "https"}://${host}:${clientPort}`;
}

function peerUrl({ host = "127.0.0.1", peerPort }: EtcdOptions): string {
  return `http://${host}:${peerPort}`;
}
