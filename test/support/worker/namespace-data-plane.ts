import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Sandbox, SandboxSpec } from "../../../worker/network/types.ts";
import { MemoryDataPlane } from "./memory-data-plane.ts";

const run = promisify(execFile);

/** Sandboxes that are real network namespaces with nothing in them but a loopback. Needs root. */
export class NamespaceDataPlane extends MemoryDataPlane {
  override async createSandbox(spec: SandboxSpec): Promise<Sandbox> {
    const known = this.sandboxes().find((sandbox) => sandbox.id === spec.id);
    if (known !== undefined) return known;
    const name = nameOf(spec.id);
    await run("ip", ["netns", "add", name]);
    const sandbox = { ...(await super.createSandbox(spec)), path: `/run/netns/${name}` };
    this.remember(sandbox);
    return sandbox;
  }

  override async removeSandbox(id: string): Promise<void> {
    const known = this.sandboxes().some((sandbox) => sandbox.id === id);
    await super.removeSandbox(id);
    if (known) await run("ip", ["netns", "delete", nameOf(id)]);
  }

  override async cleanup(): Promise<void> {
    for (const { id } of this.sandboxes()) await this.removeSandbox(id);
  }
}

function nameOf(sandboxId: string): string {
  return `muster-test-${process.pid}-${sandboxId}`;
}
