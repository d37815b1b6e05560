import { backupParts } from "../backup/content.ts";
import { asBuffer } from "../log/raft-proto.ts";
import { clusterControl } from "./cluster.ts";
import type { Control } from "./control.ts";
import type { LeaderOptions } from "./leader-parts.ts";
import { networkControl } from "./networks.ts";
import { nodeControl } from "./nodes.ts";
import { configControl, secretControl } from "./payloads.ts";
import { PlannerView } from "./planner-view.ts";
import { serviceControl } from "./services.ts";

/**
 * Control as the leader carries it out. On a manager that does not lead every method throws `Unavailable` with the
 * leader's address, if one is known, in its details.
 */
export function leaderControl(options: LeaderOptions): Control {
  const parts = { ...options, planner: new PlannerView(options.replicatedLog, options.view) };
  return {
    ...serviceControl(parts),
    ...nodeControl(parts),
    ...networkControl(parts),
    ...configControl(parts),
    ...secretControl(parts),
    ...clusterControl(parts),
    backup: async function* () {
      for await (const data of backupParts(parts)) yield { data: asBuffer(data) };
    },
  };
}
