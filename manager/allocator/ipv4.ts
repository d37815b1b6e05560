/** A block of IPv4 addresses: `first` is the network address, `size` a power of two. */
export interface Block {
  readonly first: number;
  readonly size: number;
  readonly prefixLength: number;
}

const CIDR = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/;
const OCTETS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const SPACE = 2 ** 32;

/** Reads "10.0.1.7"; undefined for what is no IPv4 address. */
export function parseAddress(text: string): number | undefined {
  const octets = OCTETS.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((address, octet) => address * 256 + octet, 0);
}

/** Reads "10.0.1.0/24", host bits or not; undefined for what is no IPv4 block. */
export function parseBlock(text: string): Block | undefined {
  const [, address = "", length = ""] = CIDR.exec(text) ?? [];
  const value = parseAddress(address);
  const prefixLength = Number(length);
  if (value === undefined || prefixLength > 32) return undefined;
  const size = 2 ** (32 - prefixLength);
  return { first: value - (value % size), size, prefixLength };
}

export function formatAddress(address: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((scale) => Math.floor(address / scale) % 256).join(".");
}

export function formatBlock({ first, prefixLength }: Block): string {
  return `${formatAddress(first)}/${prefixLength}`;
}

export function overlaps(a: Block, b: Block): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** The first block of `prefixLength` inside `pool` that overlaps none of `taken`. */
export function firstFreeBlock(
  pool: Block,
  prefixLength: number,
  taken: readonly Block[],
): Block | undefined {
  const size = 2 ** (32 - prefixLength);
  const end = Math.min(pool.first + pool.size, SPACE);
  for (let first = pool.first; first + size <= end; ) {
    const block = { first, size, prefixLength };
    const obstacle = taken.find((other) => overlaps(block, other));
    if (obstacle === undefined) return block;
    first = Math.ceil((obstacle.first + obstacle.size) / size) * size;
  }
  return undefined;
}
