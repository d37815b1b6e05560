import { CONNECTIONS_PER_NODE_MAX, STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX } from "./limits.ts";
import { peerHost, peerNetwork } from "./peer.ts";

/** One after the other as they came. */
type Peers = Set<string>;

interface Connection {
  /** Its network as a stranger, its node id once it is known. */
  readonly group: string;
  readonly isStranger: boolean;
}

/**
 * Who is connected, and who has to give way when there are too many: of the group that is too large, whoever is connected
 * longest. A host that opens and forgets connections hurts itself; a node whose old connections died unseen gets in again.
 *
 * Peers are named as gRPC does, `10.0.0.1:4711`: no two connections have the same name at once.
 */
export class ConnectionTable {
  readonly #connections = new Map<string, Connection>();
  readonly #strangers: Peers = new Set();
  readonly #groups = new Map<string, Peers>();

  get size(): number {
    return this.#connections.size;
  }

  get strangers(): number {
    return this.#strangers.size;
  }

  /** Somebody connected. @returns who gives way, if anyone must. */
  open(peer: string): string | undefined {
    const network = `from ${peerNetwork(peerHost(peer))}`;
    const group = this.#add(peer, { group: network, isStranger: true });
    if (group.size > STRANGERS_PER_ADDRESS_MAX) return oldest(group);
    return this.#strangers.size > STRANGERS_MAX ? oldest(this.#strangers) : undefined;
  }

  /** Its certificate says which node it is. @returns who gives way, if anyone must. */
  identify(peer: string, nodeId: string): string | undefined {
    if (!this.#connections.has(peer)) return undefined;
    this.close(peer);
    const group = this.#add(peer, { group: `node ${nodeId}`, isStranger: false });
    return group.size > CONNECTIONS_PER_NODE_MAX ? oldest(group) : undefined;
  }

  /** The connection has ended. */
  close(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection === undefined) return;
    this.#connections.delete(peer);
    this.#strangers.delete(peer);
    const group = this.#groups.get(connection.group);
    group?.delete(peer);
    if (group?.size === 0) this.#groups.delete(connection.group);
  }

  #add(peer: string, connection: Connection): Peers {
    const group = this.#groups.get(connection.group) ?? new Set();
    this.#groups.set(connection.group, group.add(peer));
    this.#connections.set(peer, connection);
    if (connection.isStranger) this.#strangers.add(peer);
    return group;
  }
}

function oldest(peers: Peers): string | undefined {
  return peers.values().next().value;
}
