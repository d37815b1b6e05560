import { ClusterError } from "../../../core/errors.ts";
import type { SandboxSpec } from "../types.ts";
import { protocolName } from "./host-rules.ts";

/** Safe as a file name and never one of ours, which start with an underscore. */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9.-]{0,127}$/;

/**
 * @throws {ClusterError} `InvalidArgument` for an id that cannot name a file, `ResourceExhausted` when one of the host
 *   ports leads to another sandbox.
 */
export function checkSandbox(spec: SandboxSpec, others: readonly SandboxSpec[]): void {
  if (!ID.test(spec.id))
    throw new ClusterError("InvalidArgument", `cannot make sandbox ${spec.id}: not a valid id`);
  for (const other of others) {
    const taken = new Set(hostPorts(other));
    const clash = hostPorts(spec).find((port) => taken.has(port));
    if (clash !== undefined)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot publish host port ${clash} for ${spec.id}: ${other.id} has it`,
      );
  }
}

/** Whether both ask for the same interfaces and ports; names and DNS settings may differ. */
export function isSameSandbox(a: SandboxSpec, b: SandboxSpec): boolean {
  return JSON.stringify(reachOf(a)) === JSON.stringify(reachOf(b));
}

function reachOf(spec: SandboxSpec): unknown {
  const attachments = spec.attachments.map(({ networkId, addresses }) => [networkId, addresses]);
  return [attachments, hostPorts(spec)];
}

function hostPorts(spec: SandboxSpec): string[] {
  return spec.hostPorts.map((port) => `${port.publishedPort}/${protocolName(port)}`);
}
