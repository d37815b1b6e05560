import { existsSync } from "node:fs";
import type { ProcessTable } from "../../api/backends/containers.ts";
import { ClusterError } from "../../core/errors.ts";
import { systemClock } from "../../core/system-clock.ts";
import { runProgram } from "../../runtime/linux/run.ts";

const PS = ["/usr/bin/ps", "/bin/ps"];
const PS_TIMEOUT_MS = 10_000;
const PS_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What the host's `ps` says of some processes.
 *
 * @throws {ClusterError} FailedPrecondition when there is no ps; InvalidArgument with its words when it does not take the
 *   arguments.
 */
export async function listProcesses(
  pids: readonly number[],
  psArgs: readonly string[],
): Promise<ProcessTable> {
  const path = PS.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new ClusterError(
      "FailedPrecondition",
      "cannot top: ps is missing: apt-get install procps",
    );
  const limits = { outputBytesMax: PS_BYTES_MAX, timeoutMs: PS_TIMEOUT_MS };
  const { exitCode, output } = await runProgram({ path, args: psArgs, ...limits }, systemClock);
  // The rest is how to use ps.
  const [reason = ""] = output.trim().split("\n", 1);
  if (exitCode !== 0) throw new ClusterError("InvalidArgument", `ps: ${reason.slice(0, 1000)}`);
  return pickProcesses(output, new Set(pids));
}

/** The lines of ps about these processes. @throws {ClusterError} InvalidArgument without a column PID. Docker's words. */
export function pickProcesses(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [head = "", ...lines] = output.split("\n");
  const titles = head.trim().split(/\s+/);
  const at = titles.indexOf("PID");
  if (at === -1) throw new ClusterError("InvalidArgument", "Couldn't find PID field in ps output");
  const rows = lines.map((line) => splitColumns(line, titles.length));
  return { titles, processes: rows.filter((row) => pids.has(Number(row[at]))) };
}

/** The last column, the command, has blanks of its own. */
function splitColumns(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/);
  return [...words.slice(0, count - 1), words.slice(count - 1).join(" ")];
}
