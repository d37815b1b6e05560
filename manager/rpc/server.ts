import {
  Server,
  type ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ClusterError, errorMessage } from "../../core/errors.ts";

/** Calls one connection may have open at once: sessions, raft and logs take a few each. */
const STREAMS_MAX = 1_000;

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

/**
 * Listens on `listenAddr` (host:port; port 0 picks one).
 *
 * @throws {ClusterError} `FailedPrecondition` when the address cannot be had.
 */
export async function listen(
  listenAddr: string,
  services: readonly Served[],
  security: {
    readonly credentials: ServerCredentials;
    readonly interceptors: readonly ServerInterceptor[];
  },
): Promise<RpcServer> {
  const server = new Server({
    interceptors: [...security.interceptors],
    "grpc.max_concurrent_streams": STREAMS_MAX,
  });
  for (const { definition, implementation } of services) {
    server.addService(definition, implementation);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listenAddr, security.credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(cannotListen(listenAddr, error));
    });
  });
  return { port, close: () => server.forceShutdown() };
}

function cannotListen(listenAddr: string, cause: Error): ClusterError {
  const why = errorMessage(cause).includes("EADDRINUSE")
    ? "address already in use by another program; stop it or choose another --listen-addr"
    : errorMessage(cause);
  return new ClusterError("FailedPrecondition", `cannot listen on ${listenAddr}: ${why}`, {
    cause,
    details: { listenAddr },
  });
}
