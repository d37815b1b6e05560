import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { type ProcessRef, signalProcess } from "../linux/process.ts";
import { within } from "./within.ts";

export const SIGKILL = 9;
/** How long a killed process may take to end: one in uninterruptible sleep takes as long as its disk. */
export const KILL_WAIT_MS = 10_000;

/** How a container's first process is stopped. */
export interface Stopping {
  readonly signal: number;
  /** Then it gets SIGKILL; below zero: never. */
  readonly timeoutMs: number;
  /** Resolves when the container does not run. */
  readonly ended: Promise<void>;
  /** After each signal. */
  readonly onSent: (signal: number) => void;
  /** Lets it go on if it is frozen, so that it gets the signal. */
  readonly thaw: () => Promise<void>;
}

/**
 * Ends a process by a signal, and by SIGKILL when that took too long.
 *
 * @returns whether it ended.
 */
export async function stopProcess(
  process: ProcessRef,
  { signal, timeoutMs, ended, onSent, thaw }: Stopping,
  clock: Clock,
): Promise<boolean> {
  signalProcess(process, signal);
  onSent(signal);
  await thaw();
  if (timeoutMs < 0) await ended;
  if (timeoutMs < 0 || (await within(ended, timeoutMs, clock))) return true;
  signalProcess(process, SIGKILL);
  onSent(SIGKILL);
  return within(ended, KILL_WAIT_MS, clock);
}

/** What is said when not even SIGKILL ends it. */
export function unendable(container: string, { pid }: ProcessRef): ClusterError {
  const message = `cannot stop container ${container}: process ${pid} does not end`;
  return new ClusterError("DeadlineExceeded", message);
}
