import type { Clock } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import type { DataPlane } from "../network/data-plane.ts";

/** After the kernel refused a part of a table. */
export const APPLY_RETRY_MS = 1_000;

interface Slot {
  newest: EndpointTable;
  busy: boolean;
}

/**
 * Brings endpoint tables to the kernel and says when they are there.
 *
 * Tables of one network go in order, and only the newest of those waiting: the data plane takes whole tables. Networks do
 * not wait for each other.
 */
export class TableApplier {
  readonly #network: DataPlane;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onApplied: (networkId: string, version: number) => void;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  constructor(
    network: DataPlane,
    onApplied: (networkId: string, version: number) => void,
    shell: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#network = network;
    this.#onApplied = onApplied;
    this.#clock = shell.clock;
    this.#log = shell.log;
  }

  apply(table: EndpointTable): void {
    const slot = this.#slots.get(table.networkId) ?? { newest: table, busy: false };
    slot.newest = table;
    this.#slots.set(table.networkId, slot);
    this.#run(slot);
  }

  /** The network is not needed on this node any more. */
  remove(networkId: string): void {
    this.#slots.delete(networkId);
    this.#network.removeNetwork(networkId).catch((error: unknown) => {
      // Not tried again here: the data plane's own sweep removes what nobody wants.
      this.#log.warn("cannot remove a network", { networkId, error: errorMessage(error) });
    });
  }

  close(): void {
    this.#closed = true;
  }

  #run(slot: Slot): void {
    if (slot.busy || this.#closed || this.#slots.get(slot.newest.networkId) !== slot) return;
    slot.busy = true;
    const table = slot.newest;
    this.#network.applyTable(table).then(
      () => {
        slot.busy = false;
        this.#onApplied(table.networkId, table.version);
        if (slot.newest !== table) this.#run(slot);
      },
      (error: unknown) => {
        slot.busy = false;
        const { networkId, version } = table;
        this.#log.error("cannot program an endpoint table", {
          networkId,
          version,
          error: errorMessage(error),
        });
        this.#clock.after(APPLY_RETRY_MS, () => this.#run(slot));
      },
    );
  }
}
