import { errorMessage } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { sendToUnixSocket } from "../runtime/linux/notify.ts";

/**
 * Tells systemd what state this process is in; nothing happens without systemd.
 *
 * Source: sd_notify(3).
 */
export function notifySystemd(state: "READY=1" | "STOPPING=1", log: Log): void {
  const path = process.env.NOTIFY_SOCKET ?? "";
  if (path === "") return;
  try {
    sendToUnixSocket(path, state);
  } catch (error) {
    log.warn("cannot tell systemd", { state, reason: errorMessage(error) });
  }
}

/** First descriptor of those that systemd has opened for a service. Source: sd_listen_fds(3). */
const LISTEN_FDS_START = 3;
const LISTEN_FDS_MAX = 16;

/** Sockets that systemd has opened for this process, and no other. */
export function takeListenFds(env: NodeJS.ProcessEnv, pid: number): number[] {
  const count = Number(env.LISTEN_FDS ?? "");
  const isOurs = env.LISTEN_PID === String(pid);
  delete env.LISTEN_FDS;
  delete env.LISTEN_PID;
  delete env.LISTEN_FDNAMES;
  if (!isOurs || !Number.isInteger(count) || count < 1 || count > LISTEN_FDS_MAX) return [];
  return Array.from({ length: count }, (_, index) => LISTEN_FDS_START + index);
}
