import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import type { Cgroups } from "../linux/cgroups.ts";
import { makePipe } from "../linux/descriptors.ts";
import { endOf } from "../linux/run.ts";
import { reap, spawnSession } from "../linux/spawn.ts";
import { parseCreateReport } from "./conmon-args.ts";
import type { ContainerPaths } from "./paths.ts";
import { ReportPipe } from "./report-pipe.ts";
import type { OciSpec } from "./spec/oci-spec.ts";

/**
 * conmon, the parent of a container: it holds the console, writes the log, and puts the exit code into a file. It is nobody's
 * child, so it outlives us.
 *
 * Whether it lives is told by a FIFO in the bundle: conmon holds the write end, so whoever reads it, this process or a later
 * one, gets the end of file when the container has ended or conmon was killed. The exit file follows at once, if ever.
 */
export interface ConmonLife {
  /** Resolves when the container has ended, or conmon was killed. */
  readonly ended: Promise<void>;
  /** Stops watching; `ended` then never resolves. */
  unwatch(): void;
}

/** How conmon is started. */
export interface ConmonProgram {
  readonly path: string;
  readonly args: readonly string[];
}

/** The runtime's `create` may wait for a slow disk; beyond this something hangs. */
const CREATE_TIMEOUT_MS = 60_000;
const SYNC_FD = 3;
const GATE_FD = 4;

/** Watches the conmon of a container; one that is not there has ended. */
export function watchConmon(paths: ContainerPaths): ConmonLife {
  const fd = openSync(paths.lifeFifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let watching = true;
  return {
    ended: new Promise((resolve) => {
      void endOf(socket).then(() => {
        if (watching) resolve();
      });
    }),
    unwatch() {
      watching = false;
      socket.destroy();
    },
  };
}

/** A conmon that has been started and waits. One of the two must be called. */
export interface WaitingConmon {
  /**
   * Lets it have the runtime create the container, whose bundle must be complete.
   *
   * @returns the pid of the container's first process, which waits to be released.
   * @throws {ClusterError} Internal with the runtime's words; conmon is then ending.
   */
  create(cgroups: Cgroups, clock: Clock): Promise<number>;
  /** Ends it. */
  abandon(): Promise<void>;
}

/**
 * Starts conmon for a container whose bundle may still be made meanwhile: it waits before it looks at it.
 *
 * @param paths the life FIFO must be there and watched.
 */
export function startConmon(paths: ContainerPaths, program: ConmonProgram): WaitingConmon {
  const report = makePipe();
  const gate = makePipe();
  const diagnosticsFile = `${paths.bundle}/conmon.err`;
  const life = openSync(paths.lifeFifo, constants.O_WRONLY | constants.O_NONBLOCK);
  const diagnostics = openSync(diagnosticsFile, "w", 0o600);
  let pid: number;
  try {
    pid = spawnSession({
      path: program.path,
      argv: [program.path, ...program.args],
      env: planEnv(),
      cwd: paths.bundle,
      // The life FIFO is never named to conmon: it just holds it. OCI runtimes close what they do not know.
      fds: [null, null, diagnostics, report.writeFd, gate.readFd, life],
    });
  } catch (error) {
    closeSync(report.readFd);
    closeSync(gate.writeFd);
    throw error;
  } finally {
    for (const fd of [report.writeFd, gate.readFd, life, diagnostics]) closeSync(fd);
  }

  return {
    async create(cgroups, clock) {
      // Both are awaited to the end, so that on failure nothing of this is still on its way.
      const [joined, told] = await Promise.allSettled([
        openGate(pid, gate.writeFd, cgroups),
        readReport(report.readFd, clock),
      ]);
      await reap(pid);
      if (joined.status === "rejected") throw joined.reason;
      if (told.status === "rejected") throw told.reason;
      return parseCreateReport(told.value, readFileSync(diagnosticsFile, "utf8"), {
        verb: "create",
        program: () => programOf(paths),
      });
    },
    async abandon() {
      // Before the gate's end lets it through.
      process.kill(pid, "SIGKILL");
      for (const fd of [gate.writeFd, report.readFd]) closeSync(fd);
      await reap(pid);
    },
  };
}

function programOf({ bundle }: ContainerPaths): string {
  const spec = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8")) as OciSpec;
  return spec.process.args[0] ?? "";
}

/** Nothing of our own environment reaches the runtime; UTC, so that log times differ from Docker's only in spelling. */
export function planEnv(): string[] {
  return [
    `PATH=${process.env.PATH ?? ""}`,
    "TZ=UTC",
    `_OCI_SYNCPIPE=${SYNC_FD}`,
    `_OCI_STARTPIPE=${GATE_FD}`,
  ];
}

/** conmon waits at the gate, so that it has no child yet when it is moved. The end of file lets it through. */
async function openGate(pid: number, gateFd: number, cgroups: Cgroups): Promise<void> {
  try {
    await cgroups.adoptMonitor(pid);
  } finally {
    closeSync(gateFd);
  }
}

/** conmon keeps the pipe open as long as it lives. */
async function readReport(fd: number, clock: Clock): Promise<string> {
  const pipe = new ReportPipe(fd);
  const line = await pipe.nextWithin(CREATE_TIMEOUT_MS, clock, "create it");
  pipe.close();
  return line;
}
