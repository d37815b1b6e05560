import type { PublishedPort } from "./types.ts";

/** Stands for every address of this machine. */
export const ANY_ADDRESS = "0.0.0.0";
/** The same of IPv6: a port of it and one of IPv4 are two. */
export const ANY_IPV6 = "::";

export function isIpv6({ hostAddress }: Pick<HostPort, "hostAddress">): boolean {
  return hostAddress.includes(":");
}

/** A port of this machine, whoever it leads to. */
export type HostPort = Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort">;

/** "0.0.0.0:8080", "[::]:8080". */
export function hostPortText({ hostAddress, hostPort }: HostPort): string {
  return hostAddress.includes(":") ? `[${hostAddress}]:${hostPort}` : `${hostAddress}:${hostPort}`;
}

/** "0.0.0.0:8080/tcp". */
export function hostPortName(port: HostPort): string {
  return `${hostPortText(port)}/${port.protocol}`;
}

/** Whether both cannot be had at once: every address of a family includes each. */
export function clashes(a: HostPort, b: HostPort): boolean {
  return (
    a.hostPort === b.hostPort &&
    a.protocol === b.protocol &&
    isIpv6(a) === isIpv6(b) &&
    (a.hostAddress === b.hostAddress || isEverywhere(a) || isEverywhere(b))
  );
}

export function isEverywhere({ hostAddress }: Pick<HostPort, "hostAddress">): boolean {
  return hostAddress === ANY_ADDRESS || hostAddress === ANY_IPV6;
}
