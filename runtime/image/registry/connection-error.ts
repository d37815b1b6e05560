import { ClusterError } from "../../../core/errors.ts";

/** Why there is no connection, in the words of Go, which clients and people look for. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
  UND_ERR_CONNECT_TIMEOUT: "i/o timeout",
};
const LOOKUPS: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EAI_AGAIN: "temporary failure in name resolution",
};
const OTHERS: Readonly<Record<string, string>> = {
  ECONNRESET: "read: connection reset by peer",
  UND_ERR_SOCKET: "EOF",
  UND_ERR_HEADERS_TIMEOUT: "net/http: timeout awaiting response headers",
  UND_ERR_BODY_TIMEOUT: "i/o timeout",
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority(),
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority(),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority(),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority(),
  ERR_SSL_WRONG_VERSION_NUMBER: "http: server gave HTTP response to HTTPS client",
};

/** What was being done: `Get "https://registry/v2/"`. */
export function asked(method: string, url: URL): string {
  const verb = `${method.charAt(0)}${method.slice(1).toLowerCase()}`;
  return `${verb} "${url.href}"`;
}

/**
 * The error for a conversation that broke.
 *
 * @param what was being done, as `asked` spells it.
 * @param host `registry:5000`.
 */
export function connectionError(
  error: unknown,
  { what, host, signal }: { what: string; host: string; signal?: AbortSignal | undefined },
): ClusterError {
  if (error instanceof ClusterError) return error;
  if (signal?.aborted)
    return new ClusterError("Cancelled", `talking to registry ${host} was cancelled`);
  return new ClusterError("Unavailable", `${what}: ${reasonOf(error, host)}`, { cause: error });
}

/** Trying several addresses of a name fails with an AggregateError, whose own message is empty. */
function reasonOf(error: unknown, host: string): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return reasonOf(error.errors[0], host);
  if (!(error instanceof Error)) return String(error);
  const {
    code = "",
    address,
    port,
  } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  const where = address === undefined ? host : `${bracketed(address)}:${port}`;
  if (Object.hasOwn(REASONS, code)) return `dial tcp ${where}: ${REASONS[code]}`;
  if (Object.hasOwn(LOOKUPS, code))
    return `dial tcp: lookup ${host.replace(/:\d+$/, "")}: ${LOOKUPS[code]}`;
  if (Object.hasOwn(OTHERS, code)) return OTHERS[code] ?? "";
  return error.message;
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function unknownAuthority(): string {
  return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
}
