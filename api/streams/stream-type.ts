import type { Exchange } from "../http/exchange.ts";

/** Clients that speak 1.42 know the framed streams by a name of their own. */
const FRAMED_FROM_MINOR = 42;

/** The content type of a process's streams. */
export function streamType(tty: boolean, { apiMinor }: Pick<Exchange, "apiMinor">): string {
  const isNamed = !tty && apiMinor >= FRAMED_FROM_MINOR;
  return `application/vnd.docker.${isNamed ? "multiplexed" : "raw"}-stream`;
}
