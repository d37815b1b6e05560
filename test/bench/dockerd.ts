import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { unpackPackages } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import type { Lab, LabHost } from "../support/lab/lab.ts";

const run = promisify(execFile);
const READY_MS = 60_000;

/** Debian's dockerd on a host of a lab, with directories of its own: the peer we measure beside. */
export class Dockerd {
  readonly #lab: Lab;
  readonly #host: LabHost;
  readonly #folder: string;
  readonly #path: string;
  readonly socket: string;
  #process: ChildProcess | undefined;

  static async start(
    lab: Lab,
    host: LabHost,
    { folder, flags }: { readonly folder: string; readonly flags: readonly string[] },
  ): Promise<Dockerd> {
    const installed = existsSync("/usr/sbin/dockerd") && existsSync("/usr/bin/containerd");
    const packages = ["docker.io", "containerd", "runc", "iptables"];
    const root = installed ? "" : await unpackPackages(packages, { withLibraries: false });
    const path = installed
      ? process.env.PATH
      : `${root}/usr/sbin:${root}/usr/bin:${root}/sbin:${process.env.PATH}`;
    const dockerd = new Dockerd(lab, host, { folder, path: path ?? "" });
    await dockerd.#start(flags);
    return dockerd;
  }

  private constructor(
    lab: Lab,
    host: LabHost,
    where: { readonly folder: string; readonly path: string },
  ) {
    this.#lab = lab;
    this.#host = host;
    this.#folder = where.folder;
    this.#path = where.path;
    this.socket = join(where.folder, "docker.sock");
  }

  async #start(flags: readonly string[]): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const logPath = join(this.#folder, "dockerd.log");
    const log = openSync(logPath, "a");
    const command = [
      "env",
      `PATH=${this.#path}`,
      "dockerd",
      ...["--data-root", join(this.#folder, "data"), "--exec-root", join(this.#folder, "exec")],
      ...["--pidfile", join(this.#folder, "docker.pid"), "-H", `unix://${this.socket}`],
      ...["--storage-driver", "overlay2"],
      ...flags,
    ];
    const [program = "", ...args] = [...this.#lab.enter(this.#host), ...command];
    this.#process = spawn(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    await eventually(
      "dockerd answers",
      async () => {
        if (this.#process?.exitCode !== null) {
          throw new Error(`dockerd ended:\n${readFileSync(logPath, "utf8").slice(-2000)}`);
        }
        return (await this.docker("version")).code === 0;
      },
      READY_MS,
    );
  }

  /** Runs the stock CLI against it. */
  async docker(
    ...args: string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    return this.#lab.exec(this.#host, [
      "env",
      `PATH=${this.#path}`,
      "docker",
      "-H",
      `unix://${this.socket}`,
      ...args,
    ]);
  }

  async mustDocker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  async close(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
    await run("umount", ["--lazy", join(this.#folder, "exec/netns/default")]).catch(
      () => undefined,
    );
  }
}
