/** IPv4 and IPv6 arithmetic on whole numbers. */

export type IpFamily = 4 | 6;

export interface Ip {
  readonly family: IpFamily;
  readonly number: bigint;
}

export interface IpSubnet {
  readonly family: IpFamily;
  readonly prefixLength: number;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };
const GROUPS = 8;
const TEXT_LENGTH_MAX = 64;

/** Undefined for what is no address. */
export function parseIp(text: string): Ip | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Ip | undefined {
  const parts = text.split(".");
  const isGood = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && +part < 256);
  if (!isGood) return undefined;
  return { family: 4, number: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

function parseIpv6(text: string): Ip | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return { family: 6, number: groups.reduce((sum, group) => sum * 65_536n + BigInt(group), 0n) };
}

/** Groups of 16 bits; the last two of an address may be written as IPv4. */
function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    const isLast = isEnd && at === parts.length - 1;
    const embedded = isLast && part.includes(".") ? parseIpv4(part) : undefined;
    if (embedded !== undefined)
      groups.push(Number(embedded.number >> 16n), Number(embedded.number & 0xffffn));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The text of an address; of IPv6 the shortest one. Source: RFC 5952. */
export function formatIp({ family, number }: Ip): string {
  if (family === 4)
    return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join(".");
  const groups = Array.from({ length: GROUPS }, (_, at) =>
    ((number >> BigInt(16 * (GROUPS - 1 - at))) & 0xffffn).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** The bytes of an address, as they are in packets: four or sixteen. */
export function ipBytes({ family, number }: Ip): Uint8Array {
  const bytes = BITS[family] / 8;
  return Uint8Array.from({ length: bytes }, (_, at) =>
    Number((number >> BigInt(8 * (bytes - 1 - at))) & 0xffn),
  );
}

/** The subnet an address with a prefix length is in: "10.0.1.5/24". Undefined for what is none. */
export function parseSubnet(text: string): IpSubnet | undefined {
  const [address = "", length = "", ...more] = text.split("/");
  const ip = parseIp(address);
  if (ip === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  const hostBits = BITS[ip.family] - prefixLength;
  if (hostBits < 0) return undefined;
  const size = 1n << BigInt(hostBits);
  const first = ip.number - (ip.number % size);
  return { family: ip.family, prefixLength, first, last: first + size - 1n };
}

export function formatSubnet({ family, prefixLength, first }: IpSubnet): string {
  return `${formatIp({ family, number: first })}/${prefixLength}`;
}

export function holds(subnet: IpSubnet, { family, number }: Ip): boolean {
  return family === subnet.family && subnet.first <= number && number <= subnet.last;
}

export function subnetsOverlap(a: IpSubnet, b: IpSubnet): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
