import { clusterControl } from "./cluster.ts";
import type { Control } from "./control.ts";
import type { LeaderParts } from "./leader-parts.ts";
import { networkControl } from "./networks.ts";
import { nodeControl } from "./nodes.ts";
import { configControl, secretControl } from "./payloads.ts";
import { serviceControl } from "./services.ts";

/**
 * Control as the leader carries it out. On a manager that does not lead every method throws `Unavailable` with the
 * leader's address, if one is known, in its details.
 */
export function leaderControl(parts: LeaderParts): Control {
  return {
    ...serviceControl(parts),
    ...nodeControl(parts),
    ...networkControl(parts),
    ...configControl(parts),
    ...secretControl(parts),
    ...clusterControl(parts),
  };
}
