import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { made } from "../leftovers/made.ts";
import { killQuietly } from "../processes.ts";
import {
  buildLines,
  DROP_RULES,
  hostLines,
  type LabHost,
  type LabPlan,
  planLab,
  switchLines,
} from "./plan.ts";

export type { LabHost } from "./plan.ts";

const NETNS_DIRECTORY = "/run/netns";
/** Host names are kept in UTS namespaces bound to files here. */
const UTS_DIRECTORY = "/run/muster-lab";
const COMMAND_TIMEOUT_MS = 60_000;
const COMMAND_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

const run = promisify(execFile);

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A few machines on one: hosts with their own network and host name, joined by a switch. Needs root. */
export interface Lab {
  readonly name: string;
  readonly hosts: readonly LabHost[];
  /** Words to put before a command so that it runs on the host. */
  enter(host: LabHost): readonly string[];
  /** Runs a command on the host and waits for its end; a code other than 0 is a result, not an error. */
  exec(
    host: LabHost,
    command: readonly string[],
    options?: { readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv },
  ): Promise<CommandResult>;
  /** Starts a command on the host; the caller ends it. */
  spawn(host: LabHost, command: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Nothing gets in or out, as when the cable is pulled at the switch. */
  pullCable(host: LabHost): Promise<void>;
  plugCable(host: LabHost): Promise<void>;
  /** Packets from one host to another are lost in silence, until undone as often as done; the other way they go on. */
  drop(from: LabHost, to: LabHost): Promise<void>;
  undrop(from: LabHost, to: LabHost): Promise<void>;
  /** Ends what still runs on the hosts, then removes them. */
  close(): Promise<void>;
}

/** Builds a lab; first removes what a crashed run of the same name left. */
export async function createLab(options: {
  readonly name: string;
  readonly hosts: number;
}): Promise<Lab> {
  const plan = planLab(options.name, options.hosts);
  made.labs.add(options.name);
  await removeLab(plan.name);
  await ipBatch([], buildLines(plan));
  await ipBatch(["-n", plan.switchNetns], switchLines(plan));
  await Promise.all(plan.hosts.map((host) => setUpHost(plan, host)));
  await inNetns(plan.switchNetns, ["nft", "-f", batchFile(plan.name, DROP_RULES)]);
  return new NamespaceLab(plan);
}

/** Removes the lab of that name and ends the processes in it; no error when there is none. */
export async function removeLab(name: string): Promise<void> {
  const own = new RegExp(`^${name}-(switch|h\\d+)$`);
  const namespaces = existsSync(NETNS_DIRECTORY)
    ? readdirSync(NETNS_DIRECTORY).filter((entry) => own.test(entry))
    : [];
  for (const netns of namespaces) {
    const { stdout } = await run("ip", ["netns", "pids", netns]);
    for (const pid of stdout.split("\n").filter((line) => line !== "")) killQuietly(Number(pid));
    await run("ip", ["netns", "delete", netns]);
  }
  const directory = `${UTS_DIRECTORY}/${name}`;
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory).filter((file) => file.endsWith(".uts")))
    await run("umount", ["--lazy", `${directory}/${entry}`]).catch(ignoreNotMounted);
  rmSync(directory, { recursive: true });
}

class NamespaceLab implements Lab {
  readonly name: string;
  readonly hosts: readonly LabHost[];
  readonly #plan: LabPlan;
  /** How often each `{ from . to }` is dropped. */
  readonly #drops = new Map<string, number>();

  constructor(plan: LabPlan) {
    this.#plan = plan;
    this.name = plan.name;
    this.hosts = plan.hosts;
  }

  enter(host: LabHost): readonly string[] {
    return [
      "nsenter",
      `--net=${NETNS_DIRECTORY}/${host.netns}`,
      `--uts=${utsFile(this.name, host)}`,
      "--",
    ];
  }

  exec(
    host: LabHost,
    command: readonly string[],
    options: { readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<CommandResult> {
    const [program = "", ...words] = [...this.enter(host), ...command];
    return new Promise((resolve) => {
      execFile(
        program,
        words,
        {
          timeout: options.timeoutMs ?? COMMAND_TIMEOUT_MS,
          maxBuffer: COMMAND_OUTPUT_BYTES_MAX,
          ...(options.env === undefined ? {} : { env: options.env }),
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  spawn(host: LabHost, command: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = "", ...words] = [...this.enter(host), ...command];
    return spawn(program, words, options);
  }

  async pullCable(host: LabHost): Promise<void> {
    await run("ip", ["-n", this.#plan.switchNetns, "link", "set", host.name, "down"]);
  }

  async plugCable(host: LabHost): Promise<void> {
    await run("ip", ["-n", this.#plan.switchNetns, "link", "set", host.name, "up"]);
  }

  async drop(from: LabHost, to: LabHost): Promise<void> {
    const pair = elementOf(from, to);
    const times = this.#drops.get(pair) ?? 0;
    this.#drops.set(pair, times + 1);
    if (times === 0) await this.#lost("add", pair);
  }

  async undrop(from: LabHost, to: LabHost): Promise<void> {
    const pair = elementOf(from, to);
    const times = this.#drops.get(pair) ?? 0;
    this.#drops.set(pair, times - 1);
    if (times === 1) await this.#lost("delete", pair);
  }

  async close(): Promise<void> {
    await removeLab(this.name);
  }

  async #lost(verb: "add" | "delete", element: string): Promise<void> {
    await inNetns(this.#plan.switchNetns, ["nft", `${verb} element bridge lab lost ${element}`]);
  }
}

function elementOf(from: LabHost, to: LabHost): string {
  return `{ ${from.ip} . ${to.ip} }`;
}

async function setUpHost(plan: LabPlan, host: LabHost): Promise<void> {
  await ipBatch(["-n", host.netns], hostLines(plan, host));
  const file = utsFile(plan.name, host);
  mkdirSync(`${UTS_DIRECTORY}/${plan.name}`, { recursive: true });
  writeFileSync(file, "");
  await run("unshare", [`--uts=${file}`, "hostname", host.name]);
}

async function inNetns(netns: string, command: readonly string[]): Promise<void> {
  await run("nsenter", [`--net=${NETNS_DIRECTORY}/${netns}`, "--", ...command]);
}

async function ipBatch(options: readonly string[], lines: readonly string[]): Promise<void> {
  const child = run("ip", [...options, "-batch", "-"]);
  child.child.stdin?.end(`${lines.join("\n")}\n`);
  await child;
}

/** A file, because nft opens its standard input by name and cannot open a socket. */
function batchFile(name: string, text: string): string {
  const file = `${UTS_DIRECTORY}/${name}/switch.nft`;
  writeFileSync(file, text);
  return file;
}

function utsFile(name: string, host: LabHost): string {
  return `${UTS_DIRECTORY}/${name}/${host.name}.uts`;
}

/** A crash before the mount leaves a plain file. */
function ignoreNotMounted(error: unknown): void {
  if (!(error instanceof Error && error.message.includes("not mounted"))) throw error;
}
