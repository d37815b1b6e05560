import type { ManagerAddress } from "../../proto/gen/dispatcher.ts";
import type { View } from "../store/tables.ts";

/** UDP port of VXLAN; Docker's. */
export const DATA_PATH_PORT_DEFAULT = 4789;

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
