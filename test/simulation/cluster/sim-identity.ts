import { ClusterError } from "../../../core/errors.ts";
import type { NodeRole } from "../../../proto/gen/objects.ts";
import { ask } from "./remote.ts";
import type { SimHost } from "./sim-host.ts";
import type { World } from "./world.ts";

/** What a node's certificate says of it; it outlives daemon and power. */
export class SimIdentity {
  readonly credentials = { facts: { notBeforeMs: 0, notAfterMs: Number.POSITIVE_INFINITY } };
  /** Certificates do not expire here. */
  readonly isExpired = false;
  readonly #world: World;
  readonly #host: SimHost;
  readonly #nodeId: string;
  #role: NodeRole;

  constructor(world: World, host: SimHost, own: { nodeId: string; role: NodeRole }) {
    this.#world = world;
    this.#host = host;
    this.#nodeId = own.nodeId;
    this.#role = own.role;
  }

  get role(): NodeRole {
    return this.#role;
  }

  /** Asks one manager after the other for the next certificate. @throws {ClusterError} when none gives it. */
  async renew(managers: readonly string[]): Promise<void> {
    for (const addr of managers) {
      const role = await ask(this.#world, this.#host, { addr }, ({ manager: { running } }) =>
        running?.log.readBarrier().then(() => running.store.view().nodes.get(this.#nodeId)?.role),
      ).catch(ignoreRefusal);
      if (role === undefined) continue;
      this.#role = role;
      return;
    }
    throw new ClusterError("Unavailable", "no manager gives a certificate");
  }
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof ClusterError)) throw error;
  return undefined;
}
