import type { IncomingMessage, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import { open, type Target } from "./transport.ts";

/** A connection that carries bytes both ways after its answer. */
export interface HijackedConnection {
  readonly socket: Duplex;
  /** Both outputs come in frames; otherwise as they are. */
  readonly isFramed: boolean;
}

/**
 * Sends a request that asks for an upgrade.
 *
 * @returns the connection, or the answer of a daemon that gives none. Rejects when there is no daemon.
 */
export function sendForUpgrade(
  target: Target,
  options: RequestOptions,
  text: string,
): Promise<HijackedConnection | IncomingMessage> {
  const headers = { ...options.headers, Connection: "Upgrade", Upgrade: "tcp" };
  return new Promise((resolve, reject) => {
    const request = open(target, { ...options, headers, agent: false });
    request.once(
      "upgrade",
      ({ headers: answered }: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (head.length > 0) socket.unshift(head);
        socket.on("error", () => socket.destroy());
        resolve({ socket, isFramed: answered["content-type"]?.includes("multiplexed") ?? false });
      },
    );
    request.once("response", resolve);
    request.once("error", reject);
    request.end(text);
  });
}
