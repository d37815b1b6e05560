import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { CgroupResources } from "../cgroup/resources.ts";
import { findProcess, type ProcessRef, signalProcess } from "../linux/process.ts";
import { type RunResult, runProgram } from "../linux/run.ts";
import { SealedProgram } from "../linux/sealed-program.ts";
import { canReadOnlyBelow, type ProgramVersion } from "./runtime-version.ts";

/** Where an OCI runtime is and what it is. */
export interface RuntimeProgram extends ProgramVersion {
  readonly path: string;
}

const COMMAND_TIMEOUT_MS = 30_000;
const MESSAGE_BYTES_MAX = 4096;
const SIGKILL = 9;
const READ_FIFO_FLAGS = constants.O_RDWR | constants.O_NONBLOCK;
const WRITE_FIFO_FLAGS = constants.O_WRONLY | constants.O_NONBLOCK;
/** Those whose `start` and `delete` are done here. */
const UNASKED = new Set(["runc", "crun"]);

/**
 * The OCI runtime's commands after `create`, which conmon calls.
 *
 * What runc and crun do in `start` and `delete` is done here instead, for each costs a program's start, 8–20 ms of runc, a third
 * of a container's start: their init is let go on through the FIFO it waits at, their state directory is removed. Other
 * runtimes are asked.
 */
export class OciRuntime {
  readonly program: RuntimeProgram;
  readonly #sealed: SealedProgram | undefined;
  /** Where it keeps its state. */
  readonly root: string;
  /** Whether it can make a mount read-only with all that is mounted below it. */
  readonly canReadOnlyBelow: boolean;
  readonly #clock: Clock;

  constructor(
    program: RuntimeProgram,
    machine: { readonly root: string; readonly kernel: string; readonly clock: Clock },
  ) {
    this.program = program;
    this.#sealed = program.name === "crun" ? new SealedProgram(program.path) : undefined;
    this.root = machine.root;
    this.canReadOnlyBelow = canReadOnlyBelow(program, machine.kernel);
    this.#clock = machine.clock;
  }

  /** What to start it by now. */
  get path(): string {
    return this.#sealed?.path ?? this.program.path;
  }

  /**
   * Lets a created container's first process go on to the program; nothing to do when it has.
   *
   * @param ended resolves when the container's conmon ends: then there is nothing to wait for.
   */
  async release(id: string, ended: Promise<void>): Promise<void> {
    if (this.program.name === "runc") await this.#releaseRunc(id, ended);
    else if (this.program.name === "crun") this.#releaseCrun(id);
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

  /** Has it let go of a container that has ended, but for its state directory. */
  async forget(id: string): Promise<void> {
    if (!UNASKED.has(this.program.name)) await this.#command("delete", ["--force", id]);
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
          path: this.path,
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
    const fifo = new Socket({
      fd: openSync(path, READ_FIFO_FLAGS),
      readable: true,
      writable: false,
    });
    await Promise.race([ended, new Promise((resolve) => fifo.once("data", resolve))]);
    fifo.destroy();
    // Its being gone is what tells runc that the container runs.
    rmSync(path, { force: true });
  }

  /** Source: crun 1.8, src/libcrun/status.c, `libcrun_status_write_exec_fifo`. */
  #releaseCrun(id: string): void {
    const path = `${this.root}/${id}/exec.fifo`;
    if (!existsSync(path)) return;
    let fifo: number;
    try {
      fifo = openSync(path, WRITE_FIFO_FLAGS);
    } catch (error) {
      // Nobody reads: its first process was killed while it waited.
      if (error instanceof Error && "code" in error && error.code === "ENXIO") return;
      throw error;
    }
    try {
      // Its being gone is what tells crun that the container runs.
      rmSync(path);
      writeSync(fifo, "\0");
    } finally {
      closeSync(fifo);
    }
  }

  async #status(id: string): Promise<string> {
    const state: unknown = JSON.parse(await this.#command("state", [id]));
    const known = typeof state === "object" && state !== null && "status" in state;
    return known ? String(state.status) : "";
  }

  async #command(verb: string, args: readonly string[]): Promise<string> {
    const { exitCode, output } = await runProgram(
      {
        path: this.path,
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
