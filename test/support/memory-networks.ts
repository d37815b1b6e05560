import { ClusterError } from "../../core/errors.ts";
import type { MachineNetworks } from "../../runtime/network/types.ts";

/** A machine without networks of its own. */
export function memoryNetworks(): MachineNetworks {
  const refuse = () => Promise.reject(new ClusterError("Unimplemented", "no networks here"));
  return {
    findAttachment: () => undefined,
    namespacePath: () => "",
    list: () => [],
    bridgeLink: () => "",
    attachments: () => [],
    create: refuse,
    remove: refuse,
  };
}
