import type { NetworkAttachment } from "../../proto/gen/objects.ts";
import type { StoreEvent } from "../store/apply.ts";
import type { StoredNetwork, StoredNode, StoredService, StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import { isEnded } from "../store/task-life.ts";
import { AddressPool } from "./address-pool.ts";
import { parseBlock } from "./ipv4.ts";

/** An address on a network, in CIDR form. */
export interface Holding {
  readonly networkId: string;
  readonly address: string;
}

/**
 * Who holds which address, kept change by change from the store. A task holds its addresses until its worker has
 * confirmed its end, a service its virtual addresses while it names the network, a node its own while it is there.
 */
export class Allocations {
  readonly #pools = new Map<string, AddressPool[]>();

  /** Everything of one state of the store. */
  static of(view: View): Allocations {
    const allocations = new Allocations();
    for (const network of view.networks.values()) allocations.#putNetwork(network);
    for (const node of view.nodes.values()) allocations.#claim(node.id, nodeHoldings(node));
    for (const service of view.services.values()) {
      allocations.#claim(service.id, serviceHoldings(service));
    }
    for (const task of view.tasks.values()) allocations.#claim(task.id, taskHoldings(task));
    return allocations;
  }

  /** @returns whether addresses became free. */
  observe(event: StoreEvent): boolean {
    switch (event.kind) {
      case "network":
        if (event.after !== undefined) this.#putNetwork(event.after);
        else if (event.before !== undefined) this.#pools.delete(event.before.id);
        return true;
      case "task":
        return this.#move(taskHoldings, event.before, event.after);
      case "service":
        return this.#move(serviceHoldings, event.before, event.after);
      case "node":
        return this.#move(nodeHoldings, event.before, event.after);
      case "revision":
      case "cluster":
      case "config":
      case "secret":
        return false;
    }
  }

  /** Gives `holder` an address of the network; undefined when it is full or not allocated. */
  take(networkId: string, holder: string): string | undefined {
    for (const pool of this.#pools.get(networkId) ?? []) {
      const address = pool.take(holder);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** Gives back what was taken and is not going to be used. */
  release(holder: string, holdings: readonly Holding[]): void {
    for (const { networkId, address } of holdings) {
      for (const pool of this.#pools.get(networkId) ?? []) pool.release(address, holder);
    }
  }

  #claim(holder: string, holdings: readonly Holding[]): void {
    for (const { networkId, address } of holdings) {
      for (const pool of this.#pools.get(networkId) ?? []) {
        if (pool.contains(address)) pool.claim(address, holder);
      }
    }
  }

  #move<T extends { readonly id: string }>(
    holdingsOf: (object: T) => readonly Holding[],
    before: T | undefined,
    after: T | undefined,
  ): boolean {
    const kept = after === undefined ? [] : holdingsOf(after);
    const gone = (before === undefined ? [] : holdingsOf(before)).filter(
      (old) => !kept.some((now) => now.networkId === old.networkId && now.address === old.address),
    );
    if (before !== undefined) this.release(before.id, gone);
    if (after !== undefined) this.#claim(after.id, kept);
    return gone.length > 0;
  }

  #putNetwork(network: StoredNetwork): void {
    if (network.vni === 0 || this.#pools.has(network.id)) return;
    const pools: AddressPool[] = [];
    for (const { subnet, gateway, ipRange } of network.ipam) {
      const block = parseBlock(subnet);
      if (block !== undefined) pools.push(new AddressPool(block, gateway, parseBlock(ipRange)));
    }
    this.#pools.set(network.id, pools);
  }
}

function taskHoldings(task: StoredTask): readonly Holding[] {
  return isEnded(task) ? [] : attachmentHoldings(task.networks);
}

function nodeHoldings(node: StoredNode): readonly Holding[] {
  return attachmentHoldings(node.attachments);
}

function serviceHoldings(service: StoredService): readonly Holding[] {
  return service.endpoint?.virtualIps ?? [];
}

function attachmentHoldings(attachments: readonly NetworkAttachment[]): Holding[] {
  return attachments.flatMap(({ networkId, addresses }) =>
    addresses.map((address) => ({ networkId, address })),
  );
}
