import { planResources } from "../cgroup/resources.ts";
import type { ContainerHost } from "./container-run.ts";
import { blockDeviceNumbers } from "./host-devices.ts";
import { containerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";

/** Gives a running container the limits of its record. @throws {ClusterError} Internal with the runtime's words. */
export async function applyLimits(
  { id, config }: ContainerRecord,
  host: ContainerHost,
): Promise<void> {
  const resources = planResources(config.limits, host.facts.canLimitSwap, blockDeviceNumbers);
  const file = `${containerPaths(host.roots, id).bundle}/update.json`;
  await host.runtimes.get(config.runtime).update(id, resources, file);
}
