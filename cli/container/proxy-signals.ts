import { constants } from "node:os";
import type { Context } from "../context.ts";

/** Those that are about this process and nobody else, or cannot be caught. */
const OWN: readonly NodeJS.Signals[] = [
  ...(["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPIPE", "SIGURG", "SIGWINCH", "SIGPROF"] as const),
  ...(["SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTTIN", "SIGTTOU"] as const),
];

/**
 * Gives the signals this process gets to a container.
 *
 * @param path that of the kill.
 * @returns how to stop that.
 */
export function proxySignals(context: Context, path: string): () => void {
  const names = (Object.keys(constants.signals) as NodeJS.Signals[]).filter(
    (name) => !OWN.includes(name),
  );
  const pass = (signal: NodeJS.Signals) => {
    context
      .client()
      .post(path, undefined, { signal })
      .catch(() => {
        // It has ended, and so shall we.
      });
  };
  for (const name of names) process.on(name, pass);
  return () => {
    for (const name of names) process.off(name, pass);
  };
}
