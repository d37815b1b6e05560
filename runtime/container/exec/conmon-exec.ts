import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Clock } from "../../../core/clock.ts";
import type { Cgroups } from "../../linux/cgroups.ts";
import { makePipe } from "../../linux/descriptors.ts";
import { reap, spawnSession } from "../../linux/spawn.ts";
import { type ConmonProgram, planEnv } from "../conmon.ts";
import { parseCreateReport } from "../conmon-args.ts";
import { UNKNOWN_EXIT_CODE } from "../life.ts";
import { ReportPipe } from "../report-pipe.ts";
import type { OciProcess } from "../spec/oci-spec.ts";

/** The runtime may wait for a slow disk; beyond this something hangs. */
const START_TIMEOUT_MS = 60_000;
const ATTACH_FD = 5;

/** A command that runs. */
export interface RunningExec {
  readonly pid: number;
  /** Resolves when it has ended; never rejects. */
  readonly exitCode: Promise<number>;
}

/**
 * Starts a conmon that has the runtime start a command in a container.
 *
 * @param onAttachable called, where somebody wants its streams, when conmon is there and the command not yet started.
 * @throws {ClusterError} Internal with the runtime's words and details `exitCode`; DeadlineExceeded.
 */
export async function startExec(
  program: ConmonProgram & { readonly dir: string },
  onAttachable: (() => void) | undefined,
  cgroups: Cgroups,
  clock: Clock,
): Promise<RunningExec> {
  const [sync, gate, attach] = [makePipe(), makePipe(), makePipe()];
  const [reports, attachable] = [new ReportPipe(sync.readFd), new ReportPipe(attach.readFd)];
  const diagnosticsFile = `${program.dir}/conmon.err`;
  let pid: number;
  try {
    pid = spawnConmon(program, diagnosticsFile, [sync.writeFd, gate.readFd, attach.writeFd]);
  } catch (error) {
    closeSync(gate.writeFd);
    reports.close();
    attachable.close();
    throw error;
  }
  try {
    try {
      await cgroups.adoptMonitor(pid);
      // It waits twice: for its control group, and for us to be attached.
      writeSync(gate.writeFd, "\n");
      if (onAttachable !== undefined) {
        await attachable.nextWithin(START_TIMEOUT_MS, clock, "start");
        onAttachable();
      }
    } finally {
      closeSync(gate.writeFd);
      attachable.close();
      await reap(pid);
    }
    const report = await reports.nextWithin(START_TIMEOUT_MS, clock, "start the command");
    const process = parseCreateReport(report, readFileSync(diagnosticsFile, "utf8"), {
      verb: "exec",
      program: () => {
        const spec = JSON.parse(readFileSync(`${program.dir}/process.json`, "utf8")) as OciProcess;
        return spec.args[0] ?? "";
      },
    });
    return { pid: process, exitCode: readExitCode(reports) };
  } catch (error) {
    reports.close();
    throw error;
  }
}

function spawnConmon(
  { path, args, dir }: ConmonProgram & { readonly dir: string },
  diagnosticsFile: string,
  fds: readonly number[],
): number {
  const diagnostics = openSync(diagnosticsFile, "w", 0o600);
  try {
    return spawnSession({
      path,
      argv: [path, ...args],
      env: [...planEnv(), `_OCI_ATTACHPIPE=${ATTACH_FD}`],
      cwd: dir,
      fds: [null, null, diagnostics, ...fds],
    });
  } finally {
    for (const fd of [diagnostics, ...fds]) closeSync(fd);
  }
}

/** conmon says it last; nothing when it was killed. */
async function readExitCode(reports: ReportPipe): Promise<number> {
  const line = await reports.next();
  reports.close();
  const [, code] = /"data": (\d+)/.exec(line) ?? [];
  return code === undefined ? UNKNOWN_EXIT_CODE : Number(code);
}
