import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client } from "../../../cli/client/client.ts";
import { eventually } from "../eventually.ts";
import type { CommandResult, Lab, LabHost } from "../lab/lab.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const READY_MS = 60_000;
const STOP_MS = 20_000;

export interface TestNodeOptions {
  readonly lab: Lab;
  readonly host: LabHost;
  /** The node's directories go below it. */
  readonly folder: string;
  /** More flags for `musterd`. */
  readonly flags?: readonly string[];
  /** More of its environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** One host of a lab with its own real `musterd`. */
export class TestNode {
  readonly host: LabHost;
  readonly folder: string;
  readonly socket: string;
  readonly #lab: Lab;
  /** More flags for `musterd`, from its next start on. */
  flags: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | undefined;

  constructor({ lab, host, folder, flags = [], env = {} }: TestNodeOptions) {
    this.#lab = lab;
    this.host = host;
    this.folder = join(folder, host.name);
    this.socket = join(this.folder, "muster.sock");
    this.flags = flags;
    this.#env = env;
  }

  get name(): string {
    return this.host.name;
  }

  /** The daemon's process id; undefined when it does not run. */
  get pid(): number | undefined {
    return this.#process?.exitCode === null && this.#process.signalCode === null
      ? this.#process.pid
      : undefined;
  }

  /** How the last daemon ended; null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#process?.exitCode ?? null;
  }

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Starts the daemon, and resolves when its API answers. @throws with the end of its log when it ends instead. */
  async start(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    const log = openSync(this.logFile, "a");
    const command = [
      join(ROOT, "bin/musterd"),
      ...["--data-root", this.dataRoot, "--exec-root", join(this.folder, "run")],
      ...["-H", `unix://${this.socket}`],
      ...this.flags,
    ];
    const [program = "", ...args] = [...this.#lab.enter(this.host), ...command];
    const env = { ...process.env, ...this.#env };
    const child = spawn(program, args, { stdio: ["ignore", log, log], detached: true, env });
    closeSync(log);
    this.#process = child;
    const answers = async () => {
      if (this.pid === undefined)
        throw new Error(`musterd on ${this.name} ended:\n${this.logTail()}`);
      return this.answers();
    };
    await eventually(`musterd on ${this.name} answers`, answers, READY_MS);
  }

  get dataRoot(): string {
    return join(this.folder, "data");
  }

  get logFile(): string {
    return join(this.folder, "musterd.log");
  }

  logTail(lines = 20): string {
    return readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** Sends a signal to the daemon alone and waits for its end; containers go on. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || this.pid === undefined) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const late = new Promise((_, reject) => {
      const error = new Error(`musterd on ${this.name} ignores ${signal}:\n${this.logTail()}`);
      setTimeout(() => reject(error), STOP_MS).unref();
    });
    await Promise.race([ended, late]);
  }

  /** Its API, as any HTTP client sees it. */
  api(): Client {
    return new Client(`unix://${this.socket}`);
  }

  async answers(): Promise<boolean> {
    try {
      await this.api().get("/info");
      return true;
    } catch {
      return false;
    }
  }

  /** Whether it has a manager part, as it says itself: true also while the managers have no leader. */
  async isManager(): Promise<boolean> {
    const info = await this.api().get<{ Swarm: { ControlAvailable: boolean } }>("/info");
    return info.Swarm.ControlAvailable;
  }

  /** Runs the CLI against this node. A code other than 0 is a result, not an error. */
  async muster(...args: string[]): Promise<CommandResult> {
    return this.#lab.exec(this.host, [
      join(ROOT, "bin/muster"),
      "-H",
      `unix://${this.socket}`,
      ...args,
    ]);
  }

  /** The same, for what must succeed. @returns standard output, trimmed. */
  async mustMuster(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.muster(...args);
    if (code === 0) return stdout.trim();
    throw new Error(
      `muster ${args.join(" ")} on ${this.name} ended with ${code}:\n${stdout}${stderr}`,
    );
  }
}
