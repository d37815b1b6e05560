import type { EndpointTable } from "../../../proto/gen/endpoints.ts";
import type { DataPlane } from "../../../worker/network/data-plane.ts";
import type { NodeFacts, Sandbox, SandboxSpec } from "../../../worker/network/types.ts";

/** A data plane that programs nothing and remembers what it was told. */
export class MemoryDataPlane implements DataPlane {
  readonly tables = new Map<string, EndpointTable>();
  readonly #sandboxes = new Map<string, Sandbox>();
  facts: NodeFacts | undefined;
  /** While set, tables are taken but not confirmed: the kernel is slow. */
  stall: Promise<void> | undefined;

  async setNode(facts: NodeFacts): Promise<void> {
    this.facts = facts;
  }

  async applyTable(table: EndpointTable): Promise<void> {
    this.tables.set(table.networkId, table);
    await this.stall;
  }

  async removeNetwork(networkId: string): Promise<void> {
    this.tables.delete(networkId);
  }

  tableVersions(): { networkId: string; version: number }[] {
    return [...this.tables.values()].map(({ networkId, version }) => ({ networkId, version }));
  }

  async createSandbox({ id, attachments }: SandboxSpec): Promise<Sandbox> {
    const addresses = attachments.flatMap((one) => one.addresses.map((a) => a.split("/")[0] ?? ""));
    const sandbox = {
      id,
      path: `/run/netns/${id}`,
      resolvConf: "nameserver 127.0.0.11",
      addresses,
    };
    this.remember(sandbox);
    return sandbox;
  }

  protected remember(sandbox: Sandbox): void {
    this.#sandboxes.set(sandbox.id, sandbox);
  }

  async removeSandbox(id: string): Promise<void> {
    this.#sandboxes.delete(id);
  }

  sandboxes(): readonly Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  async close(): Promise<void> {}

  async cleanup(): Promise<void> {
    this.#sandboxes.clear();
    this.tables.clear();
  }
}
