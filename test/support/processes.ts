import { readdirSync, readFileSync } from "node:fs";

export interface RunningProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** Processes but this one whose command line has `needle` in it. */
export function processesNaming(needle: string): RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      commandLine: readOfProcess(name, "cmdline").replaceAll("\0", " "),
    }))
    .filter(({ commandLine }) => commandLine.includes(needle));
}

/** Process ids of a process's children. */
export function childrenOf(pid: number): number[] {
  const words = readOfProcess(pid, `task/${pid}/children`).split(" ");
  return words.filter((word) => word !== "").map(Number);
}

/** `kill -9`; no error when it has ended by itself. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Empty when the process has gone: it may do so at any time. */
function readOfProcess(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
