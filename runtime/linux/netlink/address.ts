import { formatIp, ipBytes, parseIp } from "../../../core/ip.ts";

/** Addresses as text on our side, as bytes on the kernel's. */

/** Four bytes of "10.0.1.5". @throws {RangeError} when it is no IPv4 address. */
export function ipv4Bytes(address: string): Uint8Array {
  const parts = address.split(".");
  const bytes = parts.map(Number);
  const valid =
    parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part)) &&
    bytes.every((byte) => byte <= 255);
  if (!valid) throw new RangeError(`not an IPv4 address: ${address}`);
  return Uint8Array.from(bytes);
}

/** Four or sixteen bytes. @throws {RangeError} when it is no IP address. */
export function addressBytes(address: string): Uint8Array {
  const ip = parseIp(address);
  if (ip !== undefined) return ipBytes(ip);
  throw new RangeError(`not an IP address: ${address}`);
}

/** "10.0.1.5" of four bytes. */
export function ipv4Text(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** The text of four or sixteen bytes; empty of others. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return ipv4Text(bytes);
  if (bytes.length !== 16) return "";
  const number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return formatIp({ family: 6, number });
}

/** Six bytes of "02:42:0a:00:01:05". @throws {RangeError} when it is no MAC address. */
export function macBytes(address: string): Uint8Array {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address))
    throw new RangeError(`not a MAC address: ${address}`);
  return Uint8Array.from(address.split(":"), (part) => Number.parseInt(part, 16));
}

/** "02:42:0a:00:01:05" of six bytes. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
