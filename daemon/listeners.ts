import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { ApiServer } from "../api/http/server.ts";
import { ClusterError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { takeListenFds } from "./notify.ts";
import type { TlsServerOptions } from "./tls-config.ts";

const TCP_PORT = 2375;
const TLS_PORT = 2376;

/**
 * Opens the API at each host of the configuration.
 *
 * @throws {ClusterError} `InvalidArgument` for a host that is neither unix:// nor tcp://, `FailedPrecondition` when an
 * address is taken.
 */
export async function listenAt(
  server: ApiServer,
  hosts: readonly string[],
  options: {
    readonly group: string;
    /** Of TCP addresses; undefined: they are open. */
    readonly tls: TlsServerOptions | undefined;
    readonly log: Log;
  },
): Promise<void> {
  const { group, tls, log } = options;
  for (const host of hosts) {
    try {
      if (host.startsWith("fd://")) await listenAtGiven(server);
      else if (host.startsWith("unix://"))
        await listenAtSocket(server, host.slice("unix://".length), group);
      else await server.listen(parseTcp(host, tls === undefined ? TCP_PORT : TLS_PORT), tls);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
      throw new ClusterError(
        "FailedPrecondition",
        `cannot listen at ${host}: the address is in use`,
        { cause },
      );
    }
    if (host.startsWith("tcp://") && tls?.requestCert !== true) {
      const how = tls === undefined ? "without TLS" : "to clients without certificates";
      log.warn(`the API is open ${how}: whoever reaches it is root on this machine`, { host });
    }
    log.info("the API listens", { host });
  }
}

/** At the sockets that systemd has opened for us. */
async function listenAtGiven(server: ApiServer): Promise<void> {
  const fds = takeListenFds(process.env, process.pid);
  if (fds.length === 0)
    throw new ClusterError(
      "FailedPrecondition",
      "cannot listen at fd://: systemd has given no socket: enable musterd.socket, or take the flag away",
    );
  for (const fd of fds) await server.listen({ fd });
}

/** Only root and the group may use the socket: whoever can is root on this machine. */
async function listenAtSocket(server: ApiServer, path: string, group: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  if (await answers(path)) throw Object.assign(new Error("in use"), { code: "EADDRINUSE" });
  rmSync(path, { force: true });
  const mask = process.umask(0o177);
  try {
    await server.listen({ path });
  } finally {
    process.umask(mask);
  }
  const groupId = findGroupId(group);
  if (groupId === undefined) return;
  chownSync(path, 0, groupId);
  chmodSync(path, 0o660);
}

/** A socket file that nobody serves was left by a daemon that was killed. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function parseTcp(
  host: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } {
  const [, name, port] = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/]*)(?::(\d{1,5}))?\/?$/.exec(host) ?? [];
  if (name === undefined) {
    throw new ClusterError(
      "InvalidArgument",
      `cannot listen at ${host}: write it like unix:///path or tcp://address:port`,
    );
  }
  return { host: name.replace(/^\[|\]$/g, "") || "127.0.0.1", port: Number(port ?? defaultPort) };
}

/** Source: group(5). */
function findGroupId(name: string): number | undefined {
  for (const line of readFileSync("/etc/group", "utf8").split("\n")) {
    const [group, , id] = line.split(":");
    if (group === name && id !== undefined) return Number(id);
  }
  return undefined;
}
