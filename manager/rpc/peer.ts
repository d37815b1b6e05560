import { isIPv6 } from "node:net";

/** The address in what gRPC calls a peer: `10.0.0.1:4711` or `[fd00::1]:4711`. */
export function peerHost(peer: string): string {
  return peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** What one host can have no more than one of: its IPv4 address, or the /64 of its IPv6 address. */
export function peerNetwork(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  const address = host.replace(/%.*$/, "");
  if (!isIPv6(address)) return host;
  const [before = "", after] = address.split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  const groups = [...head, ...zeros, ...tail].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
