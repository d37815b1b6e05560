import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { type Socket as Connection, connect, createServer } from "node:net";
import type { Clock } from "../../../core/clock.ts";
import type { Log } from "../../../core/log.ts";

/*
 * What the kernel's rules cannot lead to a container goes through this process: from IPv6 to a container that has none,
 * and from ::1, which no rule leads away. As long as no daemon runs it goes nowhere; Docker's proxy is a process each.
 */

/** At once, of one port; more wait, as at a program that accepts none. */
const CONNECTIONS_MAX = 1024;
/** At once, of one port; past it the one that was silent longest is forgotten. */
const UDP_PEERS_MAX = 1024;
/** Source: moby, cmd/docker-proxy/udp_proxy_linux.go. */
const UDP_IDLE_MS = 90_000;
const KEEP_ALIVE_MS = 60_000;

/** A port of a container, by an address of it. */
export interface RelayTarget {
  readonly address: string;
  readonly port: number;
}

export interface RelayParts {
  readonly clock: Clock;
  readonly log: Log;
}

/** Ends what goes through it, and gives back its socket. */
export type StopRelay = () => void;

/**
 * Connections to a socket go on to a target; whichever side ends says so to the other.
 *
 * @param fd a socket that listens; the relay's from now on.
 */
export function relayTcp(fd: number, target: RelayTarget, { log }: RelayParts): StopRelay {
  const open = new Set<Connection>();
  const keep = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  const server = createServer({ allowHalfOpen: true, ...keep }, (from) => {
    const { address: host, port } = target;
    const to = connect({ host, port, allowHalfOpen: true, ...keep });
    join(from, to, open);
    join(to, from, open);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on("error", (error) => log.warn("relay of a port failed", { reason: error.message }));
  server.listen({ fd });
  return () => {
    server.close();
    for (const one of open) one.destroy();
  };
}

/** What comes by `from` goes to `to`; one that breaks breaks the other. */
function join(from: Connection, to: Connection, open: Set<Connection>): void {
  open.add(from);
  from.on("error", () => to.resetAndDestroy());
  from.on("close", () => open.delete(from));
  from.pipe(to);
}

/** Datagrams to a socket go on to a target, those of each peer by a socket of its own, and the answers back. */
export function relayUdp(fd: number, target: RelayTarget, { clock, log }: RelayParts): StopRelay {
  const outside = createSocket("udp6");
  const peers = new Map<string, Peer>();
  const forget = (name: string) => {
    peers.get(name)?.close();
    peers.delete(name);
  };
  outside.on("message", (message, from) => {
    const name = `${from.address} ${from.port}`;
    const peer = peers.get(name) ?? newPeer(outside, target, from);
    // The order in the map is that of their last words.
    peers.delete(name);
    peers.set(name, peer);
    const [oldest] = peers.keys();
    if (peers.size > UDP_PEERS_MAX && oldest !== undefined) forget(oldest);
    peer.send(message, clock.monotonicMs());
  });
  outside.on("error", (error) => log.warn("relay of a port failed", { reason: error.message }));
  outside.bind({ fd });
  const sweep = () => {
    const dead = clock.monotonicMs() - UDP_IDLE_MS;
    for (const [name, peer] of peers) if (peer.lastMs() <= dead) forget(name);
    cancel = clock.after(UDP_IDLE_MS, sweep);
  };
  let cancel = clock.after(UDP_IDLE_MS, sweep);
  return () => {
    cancel();
    outside.close();
    for (const name of [...peers.keys()]) forget(name);
  };
}

/** One who sends to a port from outside. */
interface Peer {
  send(message: Buffer, nowMs: number): void;
  lastMs(): number;
  close(): void;
}

function newPeer(outside: Socket, { address, port }: RelayTarget, peer: RemoteInfo): Peer {
  const inside = createSocket(address.includes(":") ? "udp6" : "udp4");
  let lastMs = 0;
  inside.on("message", (answer, from) => {
    if (from.address === address && from.port === port)
      outside.send(answer, peer.port, peer.address, dropped);
  });
  inside.on("error", () => {});
  return {
    send: (message, nowMs) => {
      lastMs = nowMs;
      inside.send(message, port, address, dropped);
    },
    lastMs: () => lastMs,
    close: () => inside.close(),
  };
}

/** A datagram that does not arrive is no error: nobody promised it. */
function dropped(): void {}
