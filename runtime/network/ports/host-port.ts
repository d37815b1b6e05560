import type { PublishedPort } from "./types.ts";

/** Stands for every address of this machine. */
export const ANY_ADDRESS = "0.0.0.0";

/** A port of this machine, whoever it leads to. */
export type HostPort = Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort">;

/** "0.0.0.0:8080". */
export function hostPortText({ hostAddress, hostPort }: HostPort): string {
  return `${hostAddress}:${hostPort}`;
}

/** "0.0.0.0:8080/tcp". */
export function hostPortName(port: HostPort): string {
  return `${hostPortText(port)}/${port.protocol}`;
}

/** Whether both cannot be had at once: every address includes each. */
export function clashes(a: HostPort, b: HostPort): boolean {
  return (
    a.hostPort === b.hostPort &&
    a.protocol === b.protocol &&
    (a.hostAddress === b.hostAddress ||
      a.hostAddress === ANY_ADDRESS ||
      b.hostAddress === ANY_ADDRESS)
  );
}
