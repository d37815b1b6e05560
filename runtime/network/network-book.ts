import type { NetworkFiles } from "./network-files.ts";
import type { LocalNetwork } from "./types.ts";

/** The networks there are, in memory and on disk. */
export class NetworkBook {
  readonly #files: NetworkFiles;
  readonly #networks = new Map<string, LocalNetwork>();

  private constructor(files: NetworkFiles) {
    this.#files = files;
  }

  static async open(files: NetworkFiles): Promise<NetworkBook> {
    const book = new NetworkBook(files);
    for (const network of await files.load()) book.#networks.set(network.id, completed(network));
    return book;
  }

  list(): readonly LocalNetwork[] {
    return [...this.#networks.values()];
  }

  get(id: string): LocalNetwork | undefined {
    return this.#networks.get(id);
  }

  named(name: string): LocalNetwork | undefined {
    return this.list().find((one) => one.name === name);
  }

  /** Known at once, so that nobody takes its name or addresses meanwhile; resolves when it is on disk. */
  async put(network: LocalNetwork): Promise<void> {
    const before = this.#networks.get(network.id);
    this.#networks.set(network.id, network);
    try {
      await this.#files.put(network);
    } catch (error) {
      if (before === undefined) this.#networks.delete(network.id);
      else this.#networks.set(network.id, before);
      throw error;
    }
  }

  /** Unknown at once; resolves when it is off the disk. */
  async remove(id: string): Promise<void> {
    this.#networks.delete(id);
    await this.#files.remove(id);
  }
}

/** Earlier versions knew bridges with a subnet and nothing else. */
function completed(network: LocalNetwork & { subnet?: string; gateway?: string }): LocalNetwork {
  const { subnet, gateway = "", ...rest } = network;
  if (subnet === undefined) return network;
  const ipv4 = { subnet, gateway, ipRange: "", reserved: {}, isChosen: false };
  return {
    ...{ driver: "bridge", internal: false, attachable: false, labels: {}, options: {} },
    ...rest,
    ...{ ipv4, ipv6: undefined },
  };
}
