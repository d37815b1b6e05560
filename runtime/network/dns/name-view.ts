/** The names of one network as they were at one moment: computed whole, then only read. */
export interface Zone {
  /** Addresses by lower-case name; no address: the name is known and nobody serves it now. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Name by address. */
  readonly names: ReadonlyMap<string, string>;
}

/** The names a container knows: those of its networks, in the order of its interfaces, after its own. Pure. */
export class NameView {
  readonly #zones: readonly Zone[];

  constructor(zones: readonly Zone[]) {
    this.#zones = zones;
  }

  /** Addresses of a name in any case; undefined when it is in none of the networks. */
  findAddresses(name: string): readonly string[] | undefined {
    const key = name.toLowerCase();
    return this.#zones.find((zone) => zone.addresses.has(key))?.addresses.get(key);
  }

  findName(address: string): string | undefined {
    return this.#zones.find((zone) => zone.names.has(address))?.names.get(address);
  }
}

/** A zone while it is being put together. */
export class ZoneBuilder implements Zone {
  readonly addresses = new Map<string, readonly string[]>();
  readonly names = new Map<string, string>();
  readonly #suffix: string;

  /** @param network whose name stands behind each of the names, too. */
  constructor(network: string) {
    this.#suffix = network.toLowerCase();
  }

  /** Those who share a name share its answers. */
  add(name: string, addresses: readonly string[]): void {
    const plain = name.toLowerCase();
    for (const key of [plain, `${plain}.${this.#suffix}`])
      this.addresses.set(key, [...new Set([...(this.addresses.get(key) ?? []), ...addresses])]);
  }

  /** What the addresses are called. */
  name(addresses: readonly string[], name: string): void {
    for (const address of addresses) this.names.set(address, `${name}.${this.#suffix}`);
  }
}
