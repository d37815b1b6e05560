import { NodeRole } from "../../proto/gen/objects.ts";
import type { Member } from "../log/replicated-log.ts";
import type { StoredNode } from "../store/objects.ts";
import type { View } from "../store/tables.ts";

/** A step towards every node being what its spec says and the store knowing who keeps the log. */
export type MembershipAction =
  /** The node's next certificate carries this role. */
  | { readonly kind: "setRole"; readonly nodeId: string; readonly role: NodeRole }
  /** The managers' group goes on without this member. */
  | { readonly kind: "removeMember"; readonly nodeId: string; readonly raftId: number }
  /** The store says of the node what the log says of the member. */
  | { readonly kind: "setManager"; readonly nodeId: string; readonly member: Member }
  | { readonly kind: "clearManager"; readonly nodeId: string };

/**
 * Plans how roles and the managers' group come to agree.
 *
 * A demoted manager leaves the group first and gets its worker's role only then: a member with a worker's certificate
 * could not be reached by the others and would still count for the majority. Who leads goes last, since the group
 * changes hands when it goes.
 *
 * Source: swarmkit, manager/role_manager.go.
 */
export function planMembership(
  view: View,
  members: readonly Member[],
  ownRaftId: number | undefined,
): MembershipAction[] {
  const actions: MembershipAction[] = [];
  for (const member of members) {
    const { nodeId, raftId } = member;
    const node = view.nodes.get(nodeId);
    if (node === undefined || node.spec.role === NodeRole.WORKER) {
      actions.push({ kind: "removeMember", nodeId, raftId });
    } else if (!isRecorded(node, member)) {
      actions.push({ kind: "setManager", nodeId, member });
    }
  }
  const memberNodes = new Set(members.map(({ nodeId }) => nodeId));
  for (const node of view.nodes.values()) {
    const { id: nodeId, role, spec } = node;
    if (memberNodes.has(nodeId)) continue;
    if (node.manager !== undefined) actions.push({ kind: "clearManager", nodeId });
    if (role !== spec.role) actions.push({ kind: "setRole", nodeId, role: spec.role });
  }
  const isOwnRemoval = (action: MembershipAction) =>
    action.kind === "removeMember" && action.raftId === ownRaftId;
  return [...actions.filter((one) => !isOwnRemoval(one)), ...actions.filter(isOwnRemoval)];
}

function isRecorded({ manager, role }: StoredNode, { raftId, addr }: Member): boolean {
  return role === NodeRole.MANAGER && manager?.raftId === raftId && manager.addr === addr;
}
