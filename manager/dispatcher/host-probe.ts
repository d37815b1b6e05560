import { connect } from "node:net";

/**
 * A port that firewalls of swarms leave open between nodes (Docker's, for gossip) and nobody listens at: the kernel refuses at
 * once, which is an answer.
 */
export const PROBE_PORT = 7946;
/** Shorter than the silence that makes a node down: one question gets its answer in time. */
export const PROBE_TIMEOUT_MS = 1_000;

/** Whether the kernel of the host at `addr` answers, whatever its daemons do. Never rejects. */
export function hostAnswers(addr: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: addr, port: PROBE_PORT, timeout: PROBE_TIMEOUT_MS });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    // Refused by the host itself; "unreachable" is what others say of it.
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED"));
  });
}
