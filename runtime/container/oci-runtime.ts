import { constants, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { CgroupResources } from "../cgroup/resources.ts";
import { findProcess, type ProcessRef, signalProcess } from "../linux/process.ts";
import { type RunResult, runProgram } from "../linux/run.ts";

/** Where an OCI runtime is and what it is. */
export interface RuntimeProgram {
  /** `runc`, `crun`, `runsc`… */
  readonly name: string;
  readonly path: string;
  readonly version: string;
}

const COMMAND_TIMEOUT_MS = 30_000;
const MESSAGE_BYTES_MAX = 4096;
const SIGKILL = 9;
const FIFO_FLAGS = constants.O_RDWR | constants.O_NONBLOCK;

/**
 * The OCI runtime's commands after `create`, which conmon calls.
 *
 * What runc does in `start` and `delete` is done here instead, for each costs 8–20 ms of a Go program starting, a third of a
 * container's start: a byte is read from the FIFO its init waits at, its state directory is removed. Other runtimes are asked.
 */
export class OciRuntime {
  readonly program: RuntimeProgram;
  /** Where it keeps its state. */
  readonly root: string;
  readonly #clock: Clock;

  constructor(program: RuntimeProgram, root: string, clock: Clock) {
    this.program = program;
    this.root = root;
    this.#clock = clock;
  }

  /**
   * Lets a created container's first process go on to the program; nothing to do when it has.
   *
   * @param ended resolves when the container's conmon ends: then there is nothing to wait for.
   */
  async release(id: string, ended: Promise<void>): Promise<void> {
    if (this.program.name === "runc") await this.#releaseRunc(id, ended);
    else if ((await this.#status(id)) === "created") await this.#command("start", [id]);
  }

  /**
   * Gives a running container other limits.
   *
   * @param file a path nobody else uses; removed afterwards.
   * @throws {ClusterError} Internal with the runtime's words.
   */
  async update(id: string, resources: CgroupResources, file: string): Promise<void> {
    await writeFile(file, JSON.stringify(resources), { mode: 0o600 });
    try {
      await this.#command("update", ["--resources", file, id]);
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Removes what it knows of a container that has ended. No error when it knows none. */
  async forget(id: string): Promise<void> {
    const stateDir = `${this.root}/${id}`;
    if (!existsSync(stateDir)) return;
    if (this.program.name !== "runc") await this.#command("delete", ["--force", id]);
    await rm(stateDir, { recursive: true, force: true });
  }

  /**
   * Runs a program inside a container, as its user and with its environment.
   *
   * When time is up the program is killed.
   *
   * @param pidFile a path nobody else uses; removed afterwards.
   */
  async exec(
    id: string,
    command: readonly string[],
    pidFile: string,
    limits: { readonly timeoutMs: number; readonly outputBytesMax: number },
  ): Promise<RunResult> {
    const args = [`--root=${this.root}`, "exec", "--pid-file", pidFile, id, ...command];
    try {
      return await runProgram(
        {
          path: this.program.path,
          args,
          ...limits,
          onTimeout: (runtime) => {
            // The runtime ends with the program; before there is one, the runtime itself is ended.
            const target = findPid(pidFile) ?? runtime;
            if (target !== undefined) signalProcess(target, SIGKILL);
          },
        },
        this.#clock,
      );
    } finally {
      await rm(pidFile, { force: true });
    }
  }

  /** Source: runc 1.1, libcontainer/container_linux.go, `exec` and `handleFifoResult`. */
  async #releaseRunc(id: string, ended: Promise<void>): Promise<void> {
    const path = `${this.root}/${id}/exec.fifo`;
    if (!existsSync(path)) return;
    // Opened for both so that it has a writer from the beginning: no end of file before the init has come to write.
    const fifo = new Socket({ fd: openSync(path, FIFO_FLAGS), readable: true, writable: false });
    await Promise.race([ended, new Promise((resolve) => fifo.once("data", resolve))]);
    fifo.destroy();
    // Its being gone is what tells runc that the container runs.
    rmSync(path, { force: true });
  }

  async #status(id: string): Promise<string> {
    const state: unknown = JSON.parse(await this.#command("state", [id]));
    const known = typeof state === "object" && state !== null && "status" in state;
    return known ? String(state.status) : "";
  }

  async #command(verb: string, args: readonly string[]): Promise<string> {
    const { exitCode, output } = await runProgram(
      {
        path: this.program.path,
        args: [`--root=${this.root}`, verb, ...args],
        outputBytesMax: MESSAGE_BYTES_MAX,
        timeoutMs: COMMAND_TIMEOUT_MS,
      },
      this.#clock,
    );
    if (exitCode === 0) return output;
    throw new ClusterError(
      "Internal",
      `${this.program.name} ${verb} failed for container ${args.at(-1)}: ${output.trim()}`,
    );
  }
}

function findPid(pidFile: string): ProcessRef | undefined {
  if (!existsSync(pidFile)) return undefined;
  return findProcess(Number(readFileSync(pidFile, "utf8")));
}
