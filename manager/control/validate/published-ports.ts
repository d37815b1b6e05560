import type { ServiceSpec } from "../../../proto/gen/objects.ts";
import { publishedKey, swarmPorts } from "../../store/ports.ts";
import type { View } from "../../store/tables.ts";
import { refuse } from "./refuse.ts";

/**
 * Whether the swarm can spare the ports a service publishes, on every node or on some.
 *
 * @throws {ClusterError} `InvalidArgument` naming the first one it cannot.
 */
export function checkPublishedPorts(view: View, spec: ServiceSpec): void {
  const own = swarmPorts(view);
  for (const port of spec.endpoint?.ports ?? []) {
    const use = own.get(publishedKey(port));
    if (use === undefined) continue;
    refuse(`port '${publishedKey(port)}' is needed by the swarm itself (${use}): publish another`);
  }
}
