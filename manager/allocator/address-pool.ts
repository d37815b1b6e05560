import { type Block, formatAddress, parseAddress } from "./ipv4.ts";

/** The addresses of one subnet and who holds each. */
export class AddressPool {
  readonly #subnet: Block;
  readonly #range: Block;
  readonly #holders = new Map<number, string>();
  /** Where the search for a free address goes on: a freed one rests as long as there are others. */
  #next: number;

  /**
   * @param range the part of the subnet to give out of; the network's, broadcast and gateway addresses never are.
   */
  constructor(subnet: Block, gateway: string, range: Block = subnet) {
    this.#subnet = subnet;
    this.#range = range;
    this.#next = range.first;
    const reserved = [subnet.first, subnet.first + subnet.size - 1, parseAddress(gateway)];
    for (const address of reserved) if (address !== undefined) this.#holders.set(address, "");
  }

  /** Gives `holder` a free address in CIDR form; undefined when there is none. */
  take(holder: string): string | undefined {
    if (this.#holders.size >= this.#subnet.size) return undefined;
    const { first, size } = this.#range;
    for (let step = 0; step < size; step++) {
      const address = first + ((this.#next - first + step) % size);
      if (this.#holders.has(address)) continue;
      this.#holders.set(address, holder);
      this.#next = address + 1;
      return `${formatAddress(address)}/${this.#subnet.prefixLength}`;
    }
    return undefined;
  }

  contains(cidr: string): boolean {
    const address = addressOf(cidr) ?? -1;
    const { first, size } = this.#subnet;
    return address >= first && address < first + size;
  }

  /** Notes that `holder` has the address; who had it first keeps it. */
  claim(cidr: string, holder: string): void {
    const address = addressOf(cidr);
    if (address === undefined || this.#holders.has(address)) return;
    this.#holders.set(address, holder);
    this.#next = Math.max(this.#next, address + 1);
  }

  /** Frees the address if `holder` has it. */
  release(cidr: string, holder: string): void {
    const address = addressOf(cidr);
    if (address !== undefined && this.#holders.get(address) === holder) {
      this.#holders.delete(address);
    }
  }
}

function addressOf(cidr: string): number | undefined {
  return parseAddress(cidr.split("/", 1)[0] ?? "");
}
