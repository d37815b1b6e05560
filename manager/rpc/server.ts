import type { Duplex } from "node:stream";
import {
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { type Doors, Front, type OnRefused, type ServerIdentity } from "./front.ts";
import {
  FAREWELL_MS,
  HANDSHAKE_MS,
  KEEPALIVE_MS,
  RECEIVED_BYTES_MAX,
  STRANGER_GRACE_MS,
  STRANGER_MEMORY_MB,
  STRANGER_MS,
  STRANGER_RECEIVED_BYTES_MAX,
  STRANGER_STREAMS_MAX,
  STREAMS_MAX,
} from "./limits.ts";
import { peerHost } from "./peer.ts";
import { refusedMessages } from "./refused-messages.ts";

/** A service and what serves it. */
export interface Served {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** A server that listens. */
export interface RpcServer {
  readonly port: number;
  /** Ends every call. */
  close(): void;
}

/** Who is let in. */
export interface Security {
  readonly identity: ServerIdentity;
  readonly interceptors: readonly ServerInterceptor[];
  readonly onRefused: OnRefused;
  /** For tests that cannot wait. */
  readonly times?: StrangersTimes;
}

/** How long strangers may take. */
export interface StrangersTimes {
  readonly handshakeMs: number;
  readonly connectionMs: number;
  readonly graceMs: number;
  /** The same for nodes that came in by a root that was given up. */
  readonly farewellMs?: number;
}

const TIMES: StrangersTimes = {
  handshakeMs: HANDSHAKE_MS,
  connectionMs: STRANGER_MS,
  graceMs: STRANGER_GRACE_MS,
};

type Limits = ServerOptions & { readonly "grpc.max_receive_message_length": number };

const NODE_OPTIONS = {
  "grpc.max_concurrent_streams": STREAMS_MAX,
  "grpc.max_receive_message_length": RECEIVED_BYTES_MAX,
  "grpc.keepalive_time_ms": KEEPALIVE_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_MS,
} satisfies ServerOptions;

const STRANGER_OPTIONS = {
  "grpc.max_concurrent_streams": STRANGER_STREAMS_MAX,
  "grpc.max_receive_message_length": STRANGER_RECEIVED_BYTES_MAX,
  "grpc-node.max_session_memory": STRANGER_MEMORY_MB,
} satisfies ServerOptions;

/**
 * Listens on `listenAddr` (host:port; port 0 picks one).
 *
 * Strangers and nodes are served by two servers with the same services and other limits: what a stranger sends never
 * costs much, and what they may call is still the interceptors' to say.
 *
 * @throws {ClusterError} `FailedPrecondition` when the address cannot be had.
 */
export async function listen(
  listenAddr: string,
  services: readonly Served[],
  { identity, interceptors, onRefused, times = TIMES }: Security,
): Promise<RpcServer> {
  const { handshakeMs, farewellMs = FAREWELL_MS } = times;
  const serverWith = (limits: Limits): Server => {
    const refused = refusedMessages({
      receivedBytesMax: limits["grpc.max_receive_message_length"],
      onCall: (peer) => front.noteCall(peer),
      onRefused: ({ message }, peer) => onRefused(message, front.describe(peer)),
    });
    return makeServer(services, { ...limits, interceptors: [refused, ...interceptors] });
  };
  const ages = {
    "grpc.max_connection_age_ms": times.connectionMs,
    "grpc.max_connection_age_grace_ms": times.graceMs,
  };
  const servers = {
    node: serverWith(NODE_OPTIONS),
    stranger: serverWith({ ...STRANGER_OPTIONS, ...ages }),
  };
  const nodeDoor = doorOf(servers.node);
  const doors: Doors = {
    node: nodeDoor.enter,
    stranger: doorOf(servers.stranger).enter,
    sayFarewell: () => nodeDoor.sayFarewell(farewellMs),
  };
  const front: Front = new Front(identity, doors, { onRefused, handshakeMs });
  const close = (): void => {
    front.close();
    for (const server of Object.values(servers)) server.forceShutdown();
  };
  try {
    const port = await front.listen(parseAddr(listenAddr));
    return { port, close };
  } catch (error) {
    close();
    throw cannotListen(listenAddr, error);
  }
}

/** Listens without TLS and lets everybody do everything: for tests, and for processes on one host that measure. */
export async function listenPlain(
  listenAddr: string,
  services: readonly Served[],
): Promise<RpcServer> {
  const server = makeServer(services, { ...NODE_OPTIONS });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listenAddr, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(cannotListen(listenAddr, error));
    });
  });
  return { port, close: () => server.forceShutdown() };
}

function makeServer(services: readonly Served[], options: ServerOptions): Server {
  const server = new Server(options);
  for (const { definition, implementation } of services) {
    server.addService(definition, implementation);
  }
  return server;
}

/** The connections are TLS already. Who came in before a farewell is told to go, and ended when that has taken too long. */
function doorOf(server: Server): {
  enter(socket: Duplex): void;
  sayFarewell(graceMs: number): void;
} {
  const open = () => server.createConnectionInjector(ServerCredentials.createInsecure());
  let injector = open();
  return {
    enter: (socket) => injector.injectConnection(socket),
    sayFarewell: (graceMs) => {
      const former = injector;
      injector = open();
      former.drain(graceMs);
    },
  };
}

function parseAddr(addr: string): { readonly host: string; readonly port: number } {
  return { host: peerHost(addr), port: Number(addr.slice(addr.lastIndexOf(":") + 1)) };
}

function cannotListen(listenAddr: string, cause: unknown): ClusterError {
  const why = errorMessage(cause).includes("EADDRINUSE")
    ? "address already in use by another program; stop it or choose another --listen-addr"
    : errorMessage(cause);
  return new ClusterError("FailedPrecondition", `cannot listen on ${listenAddr}: ${why}`, {
    cause,
    details: { listenAddr },
  });
}
