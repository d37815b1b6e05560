import { ClusterError } from "../../core/errors.ts";

/** Where `musterd` listens unless told otherwise. */
export const DEFAULT_HOST = "unix:///run/muster/muster.sock";

/** Where a daemon is reached, in the terms of node:http. */
export type Endpoint =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const DEFAULT_TCP_PORT = 2375;

/**
 * Reads `unix:///path` or `tcp://host[:port]`.
 *
 * @throws {ClusterError} `InvalidArgument` for anything else.
 */
export function parseEndpoint(text: string): Endpoint {
  const [, scheme, rest] = /^(unix|tcp):\/\/(.+)$/.exec(text) ?? [];
  if (rest === undefined) {
    throw new ClusterError(
      "InvalidArgument",
      `invalid host '${text}': use unix:///path or tcp://host:port`,
    );
  }
  if (scheme === "unix") return { kind: "unix", socketPath: rest };
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new ClusterError("InvalidArgument", `invalid host '${text}': use tcp://host:port`);
  }
  return {
    kind: "tcp",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || DEFAULT_TCP_PORT,
  };
}
