import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a page of another site asks, in a browser that reaches this API by TCP. Browsers let pages open WebSockets
 * anywhere, and no preflight asks the server: a page anybody made would type into containers.
 *
 * Programs may call themselves what they like on a Unix socket, where no browser comes.
 */
export function isForeignOrigin(
  { origin, host }: IncomingHttpHeaders,
  /** Undefined on a Unix socket. */
  remoteAddress: string | undefined,
): boolean {
  if (origin === undefined || remoteAddress === undefined) return false;
  const [, originHost = ""] = /^[a-z]+:\/\/(.*)$/i.exec(origin) ?? [];
  return originHost.toLowerCase() !== (host ?? "").toLowerCase();
}
