import type { ManagerAddress } from "../../proto/gen/dispatcher.ts";
import type { View } from "../store/tables.ts";
import type { LivenessSettings } from "./liveness.ts";

/** What holds while the swarm's settings do not say otherwise (DESIGN D8). */
export const LIVENESS_DEFAULTS: LivenessSettings = {
  heartbeatMs: 500,
  downAfterMs: 2_500,
  restartGraceMs: 10_000,
};
/** UDP port of VXLAN; Docker's. */
export const DATA_PATH_PORT_DEFAULT = 4789;

/** The swarm's own values, with the default for each that is zero or absent. */
export function livenessSettings(view: View): LivenessSettings {
  const { heartbeatMs, downAfterMs, restartGraceMs } = view.cluster?.spec ?? {};
  return {
    heartbeatMs: heartbeatMs || LIVENESS_DEFAULTS.heartbeatMs,
    downAfterMs: downAfterMs || LIVENESS_DEFAULTS.downAfterMs,
    restartGraceMs: restartGraceMs || LIVENESS_DEFAULTS.restartGraceMs,
  };
}

export function dataPathPort(view: View): number {
  return view.cluster?.dataPathPort || DATA_PATH_PORT_DEFAULT;
}

/** Where workers find managers: the leader (this one) first, the others in the order of their ids. */
export function managerAddresses(view: View, ownNodeId: string): ManagerAddress[] {
  const all: ManagerAddress[] = [];
  for (const { id, manager } of view.nodes.values()) {
    if (manager !== undefined && manager.addr !== "") all.push({ nodeId: id, addr: manager.addr });
  }
  const rank = ({ nodeId }: ManagerAddress) => (nodeId === ownNodeId ? "" : nodeId);
  return all.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
