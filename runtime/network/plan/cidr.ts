import { ClusterError } from "../../../core/errors.ts";

/** IPv4 arithmetic on plain numbers. */

export interface Cidr {
  /** As written: may be an address inside the subnet. */
  readonly address: string;
  readonly prefixLength: number;
  /** First and last address of the subnet as numbers. */
  readonly first: number;
  readonly last: number;
}

/** @throws {ClusterError} `InvalidArgument` when it is no IPv4 CIDR such as "10.0.1.5/24". */
export function parseCidr(text: string): Cidr {
  const [address = "", length = ""] = text.split("/");
  const prefixLength = Number(length);
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32) throw notIpv4(text);
  const number = ipv4Number(address);
  const size = 2 ** (32 - prefixLength);
  const first = number - (number % size);
  return { address, prefixLength, first, last: first + size - 1 };
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** "10.0.1.5" as a number. @throws {ClusterError} `InvalidArgument` when it is no IPv4 address. */
export function ipv4Number(address: string): number {
  const parts = address.split(".");
  const valid = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && +part <= 255);
  if (!valid) throw notIpv4(address);
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

/** The address of a number in `[0, 2^32)`. */
export function ipv4Address(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** The data plane carries IPv4 only so far; others in a list of addresses are left out. */
export function isIpv4(address: string): boolean {
  return !address.includes(":");
}

function notIpv4(text: string): ClusterError {
  return new ClusterError("InvalidArgument", `not an IPv4 address: ${text}`);
}
