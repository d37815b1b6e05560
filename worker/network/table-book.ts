import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import type { Zone } from "../../runtime/network/dns/name-view.ts";
import { isIpv4 } from "../../runtime/network/plan/cidr.ts";
import { planZone } from "./dns/zone.ts";
import type { StateFiles } from "./state-files.ts";

/** How long a sandbox waits for the tables of its networks: they come on the same stream as the task. */
const TABLE_WAIT_MS = 10_000;

/** Where tables outlive the daemon. */
export type TableFiles = Pick<StateFiles, "tables" | "putTable" | "removeTable">;

interface Page {
  readonly table: EndpointTable;
  readonly zone: Zone;
  /** Not needed any more as far as the managers know; kept while a sandbox is still in the network. */
  readonly withdrawn: boolean;
}

/** The endpoint tables this node has, with what follows from each alone; the same on disk. */
export class TableBook {
  readonly #pages = new Map<string, Page>();
  readonly #files: TableFiles;
  readonly #clock: Clock;
  /** Woken when a table comes. */
  readonly #waiting = new Set<() => void>();

  constructor(files: TableFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
    for (const table of files.tables())
      this.#pages.set(table.networkId, { table, zone: planZone(table), withdrawn: false });
  }

  /**
   * Takes a table unless a newer one is here.
   *
   * @returns addresses that were serving and no longer are; undefined when nothing changed.
   */
  put(table: EndpointTable): ReadonlySet<string> | undefined {
    const before = this.#pages.get(table.networkId);
    if (before !== undefined && !before.withdrawn && before.table.version >= table.version)
      return undefined;
    this.#files.putTable(table);
    this.#pages.set(table.networkId, { table, zone: planZone(table), withdrawn: false });
    for (const wake of this.#waiting) wake();
    return before === undefined ? new Set() : leftServing(before.table, table);
  }

  withdraw(networkId: string): void {
    const page = this.#pages.get(networkId);
    if (page !== undefined) this.#pages.set(networkId, { ...page, withdrawn: true });
  }

  /** Forgets withdrawn networks that `inUse` does not name. @returns their ids. */
  forgetUnused(inUse: ReadonlySet<string>): string[] {
    const unused = [...this.#pages].filter(([id, page]) => page.withdrawn && !inUse.has(id));
    for (const [id] of unused) {
      this.#pages.delete(id);
      this.#files.removeTable(id);
    }
    return unused.map(([id]) => id);
  }

  find(networkId: string): EndpointTable | undefined {
    return this.#pages.get(networkId)?.table;
  }

  findZone(networkId: string): Zone | undefined {
    return this.#pages.get(networkId)?.zone;
  }

  /** The ingress network's, if this node has it. */
  findIngress(): EndpointTable | undefined {
    return this.all().find((table) => table.network?.ingress === true);
  }

  all(): EndpointTable[] {
    return [...this.#pages.values()].map((page) => page.table);
  }

  versions(): { networkId: string; version: number }[] {
    const current = [...this.#pages.values()].filter((page) => !page.withdrawn);
    return current.map(({ table }) => ({ networkId: table.networkId, version: table.version }));
  }

  /** @throws {ClusterError} `Unavailable` when one of the tables does not come in time. */
  async waitFor(networkIds: readonly string[]): Promise<void> {
    const missing = () => networkIds.filter((id) => !this.#pages.has(id));
    const deadlineMs = this.#clock.monotonicMs() + TABLE_WAIT_MS;
    while (missing().length > 0) {
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0)
        throw new ClusterError(
          "Unavailable",
          `cannot attach to network ${missing()[0]}: no manager has sent its endpoints`,
        );
      await this.#change(leftMs);
    }
  }

  /** Resolves when a table comes, at the latest after `timeoutMs`. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#clock.after(timeoutMs, wake);
      this.#waiting.add(wake);
    });
  }
}

/** Addresses that new connections might go to before and may not now. */
function leftServing(before: EndpointTable, after: EndpointTable): Set<string> {
  const left = new Set(
    before.endpoints.filter((one) => one.serving).flatMap((one) => one.addresses),
  );
  for (const endpoint of after.endpoints)
    if (endpoint.serving) for (const address of endpoint.addresses) left.delete(address);
  return new Set([...left].filter(isIpv4));
}
