import type { EndpointVersion } from "../../proto/gen/dispatcher.ts";
import { EndpointUpdate } from "../../proto/gen/endpoints.ts";
import type { EndpointTables } from "../endpoints/endpoint-tables.ts";
import { splitUpdate } from "../endpoints/split-update.ts";

interface Sent {
  /** 0: nothing yet. */
  version: number;
  /** The highest version its kernel serves, as it confirmed. */
  servedVersion: number;
}

/** Which endpoint tables one worker was sent in this session, and which it serves. */
export class SentTables {
  readonly #sent = new Map<string, Sent>();
  /** What it had when it came. */
  readonly #known: Map<string, number>;
  /** Parts of one update that are still to be sent. */
  #queue: EndpointUpdate[] = [];
  /** Networks it is to forget. */
  readonly #gone = new Set<string>();

  constructor(known: readonly EndpointVersion[]) {
    this.#known = new Map(known.map(({ networkId, version }) => [networkId, version]));
  }

  /** The version of the table the worker serves; undefined when it has no need of the network. */
  servedVersion(networkId: string): number | undefined {
    return this.#sent.get(networkId)?.servedVersion;
  }

  onServed(networkId: string, version: number): void {
    const sent = this.#sent.get(networkId);
    if (sent !== undefined) sent.servedVersion = Math.max(sent.servedVersion, version);
  }

  /** Makes the worker a reader of exactly these networks. */
  need(networkIds: ReadonlySet<string>): void {
    for (const networkId of networkIds) {
      this.#gone.delete(networkId);
      if (this.#sent.has(networkId)) continue;
      this.#sent.set(networkId, { version: this.#known.get(networkId) ?? 0, servedVersion: 0 });
      this.#known.delete(networkId);
    }
    const gone = [...this.#sent.keys(), ...this.#known.keys()].filter((id) => !networkIds.has(id));
    for (const networkId of gone) {
      this.#sent.delete(networkId);
      this.#known.delete(networkId);
      this.#gone.add(networkId);
    }
  }

  /** The next message by which the worker forgets a network it needs no more; undefined when there is none. */
  nextRemoval(): EndpointUpdate | undefined {
    for (const networkId of this.#gone) {
      this.#gone.delete(networkId);
      return EndpointUpdate.create({ networkId, removed: true, last: true });
    }
    return undefined;
  }

  /** The next message that brings the worker's tables up to the present ones; undefined when they are. */
  next(tables: Pick<EndpointTables, "updateSince">): EndpointUpdate | undefined {
    for (const [networkId, sent] of this.#sent) {
      if (this.#queue.length > 0) break;
      const update = tables.updateSince(networkId, sent.version);
      if (update === undefined) continue;
      this.#queue = splitUpdate(update);
      sent.version = update.version;
    }
    return this.#queue.shift();
  }
}
