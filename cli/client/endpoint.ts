import { ClusterError } from "../../core/errors.ts";

/** Where `musterd` listens unless told otherwise. */
export const DEFAULT_HOST = "unix:///run/muster/muster.sock";

/** Where a daemon is reached, in the terms of node:http. */
export type Endpoint =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const DEFAULT_TCP_PORT = 2375;
const DEFAULT_TLS_PORT = 2376;

/**
 * Reads `unix:///path` or `tcp://host[:port]`.
 *
 * @throws {ClusterError} `InvalidArgument` for anything else.
 */
export function parseEndpoint(text: string, isSecure = false): Endpoint {
  if (text.startsWith("ssh://"))
    throw invalid(
      text,
      "ssh is not spoken: forward the socket with ssh -L, or use tcp:// with TLS",
    );
  const [, scheme, rest] = /^(unix|tcp|https?):\/\/(.+)$/.exec(text) ?? [];
  if (rest === undefined) throw invalid(text, "use unix:///path or tcp://host:port");
  if (scheme === "unix") return { kind: "unix", socketPath: rest };
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === "") throw invalid(text, "use tcp://host:port");
  if (!["", "/"].includes(url.pathname) || url.username !== "" || url.search !== "")
    throw invalid(text, "use tcp://host:port, with nothing after it");
  return {
    kind: "tcp",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: portOf(rest) ?? (isSecure ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT),
  };
}

/** URLs leave out the port that is usual for their scheme. */
function portOf(rest: string): number | undefined {
  const [, port] = /:(\d+)\/?$/.exec(rest) ?? [];
  return port === undefined ? undefined : Number(port);
}

function invalid(text: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid host '${text}': ${why}`);
}
