import { closeSync, readFileSync } from "node:fs";
import koffi from "koffi";
import { checked, errnoError, libc } from "./libc.ts";

/** Processes that are not our children: named by pid and start time, since pids are used again. */

type PidfdOpen = (number: number, pid: number, flags: number) => number;
type PidfdSend = (
  number: number,
  pidfd: number,
  signal: number,
  info: null,
  flags: number,
) => number;
const pidfdOpen: PidfdOpen = libc.func("intptr_t syscall(long number, int pid, uint32_t flags)");
const pidfdSend: PidfdSend = libc.func(
  "intptr_t syscall(long number, int pidfd, int signal, void *info, uint32_t flags)",
);

const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const ESRCH = 3;
/** Fields after the name in /proc/PID/stat; the start time is the 22nd of all, the state the third. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

/** A process for as long as this machine is up. */
export interface ProcessRef {
  readonly pid: number;
  /** Clock ticks after boot, from /proc/PID/stat. */
  readonly startTicks: number;
}

/** The process that has this pid now; undefined when there is none or only its zombie is left. */
export function findProcess(pid: number): ProcessRef | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[STATE_FIELD];
  if (state === "Z" || state === "X") return undefined;
  return { pid, startTicks: Number(fields[START_TIME_FIELD]) };
}

/** Whether it still runs. */
export function isAlive(process: ProcessRef): boolean {
  return findProcess(process.pid)?.startTicks === process.startTicks;
}

/** Sends a signal to this process and to no later one with its pid. False when it has ended. */
export function signalProcess(process: ProcessRef, signal: number): boolean {
  const pidfd = pidfdOpen(SYS_PIDFD_OPEN, process.pid, 0);
  if (pidfd === -1 && koffi.errno() === ESRCH) return false;
  checked(pidfd, `open process ${process.pid}`);
  try {
    // Once the handle is open the pid cannot be given away unnoticed: now compare.
    if (!isAlive(process)) return false;
    if (pidfdSend(SYS_PIDFD_SEND_SIGNAL, pidfd, signal, null, 0) !== -1) return true;
    const errno = koffi.errno();
    if (errno === ESRCH) return false;
    throw errnoError(errno, `send signal ${signal} to process ${process.pid}`);
  } finally {
    closeSync(pidfd);
  }
}

/** The capabilities this process can give to others, in hexadecimal. Source: proc(5), status. */
export function ownCapabilities(): string {
  return /^CapBnd:\s+([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
}

/** How many files this process and its children may have open at most. Source: proc(5), limits: `Max open files SOFT HARD files`. */
export function maxOpenFiles(): number {
  const match = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return match === null ? Number.MAX_SAFE_INTEGER : Number(match[1]);
}
